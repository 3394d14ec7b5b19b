//! The claims of the crate, with code that really runs.

use std::mem::transmute;

use pyrite_jit_codecache::{Backing, CodeCache, CodeCacheError, CodeSpan, PerfMap};

/// `mov eax, imm32; ret` padded so that the immediate is aligned within a 16-byte block.
fn returns(value: u32) -> [u8; 9] {
    let v = value.to_le_bytes();
    [0x90, 0x90, 0x90, 0xB8, v[0], v[1], v[2], v[3], 0xC3]
}

fn call(span: CodeSpan) -> u32 {
    // SAFETY: each span passed here holds a leaf function without arguments, written by this test.
    let f: extern "C" fn() -> u32 = unsafe { transmute(span.address) };
    f()
}

#[test]
fn code_runs_and_is_patched_in_place_with_either_backing() {
    for backing in [Backing::TwoViews, Backing::OneView] {
        let mut cache =
            CodeCache::with_backing(1 << 16, backing).expect("64 KiB of code can be had");
        let first = cache.append(16, &returns(7)).expect("fits");
        let second = cache.append(16, &returns(8)).expect("fits");
        assert_eq!((call(first), call(second)), (7, 8));
        cache
            .patch4(first.address + 4, 1234)
            .expect("aligned and written");
        assert_eq!((call(first), call(second)), (1234, 8));
        cache
            .patch_within8(second.address + 3, &[0xB8, 0x05, 0, 0, 0])
            .expect("inside one word");
        assert_eq!((call(first), call(second)), (1234, 5));
        assert_eq!(cache.read(first)[4..8], 1234u32.to_le_bytes());
    }
}

#[test]
fn next_address_is_where_append_goes() {
    let mut cache = CodeCache::with_capacity(1 << 12).expect("a page can be had");
    cache.append(1, &[0xC3]).expect("fits");
    for align in [1, 4, 16, 64] {
        let at = cache.next_address(align);
        assert_eq!(at % align, 0);
        assert_eq!(cache.append(align, &[0xC3; 3]).expect("fits").address, at);
    }
}

#[test]
fn a_full_cache_says_so_and_stays_usable() {
    let mut cache = CodeCache::with_capacity(4096).expect("a page can be had");
    let span = cache.append(16, &returns(3)).expect("fits");
    let error = cache.append(16, &[0x90; 4090]).expect_err("too long");
    assert!(
        matches!(error, CodeCacheError::Full { capacity: 4096, .. }),
        "{error}"
    );
    assert_eq!(
        cache.append(16, &[0x90; 4080]).expect("exactly fits").len,
        4080
    );
    assert_eq!(call(span), 3);
}

#[test]
fn patches_outside_written_code_or_across_words_are_refused() {
    let mut cache = CodeCache::with_capacity(4096).expect("a page can be had");
    let span = cache.append(16, &returns(3)).expect("fits");
    assert!(cache.patch4(span.address + 5, 0).is_err());
    assert!(cache.patch4(span.address + 8, 0).is_err());
    assert!(cache.patch4(0, 0).is_err());
    assert!(cache.patch_within8(span.address + 6, &[0; 3]).is_err());
    assert_eq!(call(span), 3);
}

#[test]
fn an_impossible_size_is_an_error_with_that_size() {
    let error = CodeCache::with_capacity(1 << 60).expect_err("no machine has that");
    assert!(
        matches!(error, CodeCacheError::Reserve { bytes, .. } if bytes == 1 << 60),
        "{error}"
    );
}

#[test]
fn the_default_region_is_at_least_the_minimum() {
    let cache = CodeCache::new().expect("some region can be had");
    assert!(cache.capacity() >= pyrite_jit_codecache::MIN_CAPACITY);
}

#[test]
fn a_region_of_its_own_keeps_addresses_and_code() {
    let mut cache = CodeCache::with_capacity(1 << 16).expect("64 KiB of code can be had");
    let span = cache.append(16, &returns(11)).expect("fits");
    cache.after_fork().expect("a second region can be had");
    assert_eq!(call(span), 11);
    cache
        .patch4(span.address + 4, 12)
        .expect("aligned and written");
    assert_eq!(call(span), 12);
    let more = cache.append(16, &returns(13)).expect("fits");
    assert_eq!(call(more), 13);
}

#[test]
fn perf_map_lines_are_hexadecimal_and_single() {
    let path = std::env::temp_dir().join(format!("pyrite-perf-test-{}.map", std::process::id()));
    let mut map = PerfMap::open_at(path.clone()).expect("temporary folder is writable");
    map.add(
        CodeSpan {
            address: 0xABC0,
            len: 18,
        },
        "trace 1\nloop",
    )
    .expect("file is writable");
    assert_eq!(
        std::fs::read_to_string(&path).expect("just written"),
        "abc0 12 trace 1 loop\n"
    );
    std::fs::remove_file(path).expect("just written");
}

#[test]
fn a_forked_child_patches_its_own_code_only() {
    let mut cache = CodeCache::with_capacity(1 << 16).expect("64 KiB of code can be had");
    let span = cache.append(16, &returns(21)).expect("fits");
    // SAFETY: the child calls nothing that allocates or locks before `_exit`.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0, "fork works");
    if pid == 0 {
        let moved = cache.after_fork().is_ok();
        let patched = cache.patch4(span.address + 4, 22).is_ok();
        let ok = moved && patched && call(span) == 22;
        // SAFETY: ends the child at once, without running the test harness's exit code.
        unsafe { libc::_exit(i32::from(!ok)) };
    }
    let mut status = -1;
    // SAFETY: `pid` is a child of this process and `status` a valid place for the result.
    let waited = unsafe { libc::waitpid(pid, &mut status, 0) };
    assert_eq!((waited, status), (pid, 0), "the child saw its own patch");
    assert_eq!(call(span), 21, "the parent's code is unchanged");
}
