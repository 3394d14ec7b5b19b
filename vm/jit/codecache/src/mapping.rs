//! The only place that maps executable memory.
//!
//! Problem: code must be written while other code runs, yet no page may need `mprotect` for it.
//! Idea: an unnamed file is mapped twice, once writable and once executable; a byte stored through
//! the first view is fetched through the second. Where unnamed files are refused (a seccomp
//! filter, a `noexec` policy) one anonymous mapping serves as both views.
//!
//! Invariant: `rw .. rw + len` and `rx .. rx + len` stay mapped, at the same addresses, until drop.

use std::ffi::c_void;
use std::os::fd::OwnedFd;
use std::ptr;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use rustix::fs::{MemfdFlags, Mode, OFlags};
use rustix::io::Errno;
use rustix::mm::{MapFlags, ProtFlags};

/// How the two views are backed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backing {
    /// One unnamed file mapped twice: writable here, executable there.
    TwoViews,
    /// One private mapping, writable and executable at once.
    OneView,
}

/// A pair of views on the same bytes.
#[derive(Debug)]
pub(crate) struct Mapping {
    rw: *mut u8,
    rx: *mut u8,
    len: usize,
    backing: Backing,
}

impl Mapping {
    /// Maps `len` bytes, a multiple of the page size, as `backing` says.
    pub(crate) fn new(len: usize, backing: Backing) -> Result<Self, Errno> {
        match backing {
            Backing::TwoViews => {
                let file = unnamed_file(len)?;
                let rw = map_file(&file, len, ProtFlags::READ | ProtFlags::WRITE, None)?;
                match map_file(&file, len, ProtFlags::READ | ProtFlags::EXEC, None) {
                    Ok(rx) => Ok(Self {
                        rw,
                        rx,
                        len,
                        backing,
                    }),
                    Err(errno) => {
                        unmap(rw, len);
                        Err(errno)
                    }
                }
            }
            Backing::OneView => {
                let prot = ProtFlags::READ | ProtFlags::WRITE | ProtFlags::EXEC;
                // SAFETY: a fresh anonymous mapping at an address of the system's choice overlaps nothing.
                let p = unsafe {
                    rustix::mm::mmap_anonymous(ptr::null_mut(), len, prot, MapFlags::PRIVATE)?
                };
                Ok(Self {
                    rw: p.cast(),
                    rx: p.cast(),
                    len,
                    backing,
                })
            }
        }
    }

    pub(crate) fn backing(&self) -> Backing {
        self.backing
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// First byte of the executable view.
    pub(crate) fn rx_addr(&self) -> usize {
        self.rx.addr()
    }

    /// Copies `bytes` to `offset`.
    pub(crate) fn write(&mut self, offset: usize, bytes: &[u8]) {
        assert!(
            offset <= self.len && bytes.len() <= self.len - offset,
            "write stays inside the region"
        );
        // SAFETY: the range was just checked to lie in the writable view, and `&mut self` is the only writer.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), self.rw.add(offset), bytes.len()) }
    }

    /// Copies `out.len()` bytes from `offset`.
    pub(crate) fn read(&self, offset: usize, out: &mut [u8]) {
        assert!(
            offset <= self.len && out.len() <= self.len - offset,
            "read stays inside the region"
        );
        // SAFETY: the range was just checked to lie in the readable view; `&self` excludes writers.
        unsafe { ptr::copy_nonoverlapping(self.rx.add(offset), out.as_mut_ptr(), out.len()) }
    }

    /// One 4-byte store at `offset`, a multiple of 4.
    pub(crate) fn store4(&mut self, offset: usize, value: u32) {
        assert!(
            offset.is_multiple_of(4) && offset + 4 <= self.len,
            "store lies inside the region"
        );
        // SAFETY: in bounds and aligned as just checked; the views outlive `self`; code that runs at the
        // same time only fetches these bytes.
        let cell = unsafe { AtomicU32::from_ptr(self.rw.add(offset).cast()) };
        cell.store(value, Ordering::Release);
    }

    /// Replaces bytes inside the aligned 8-byte word that holds `offset`, by one store.
    pub(crate) fn store_within8(&mut self, offset: usize, bytes: &[u8]) {
        let word = offset & !7;
        assert!(
            offset + bytes.len() <= word + 8 && word + 8 <= self.len,
            "patch lies inside one aligned word"
        );
        // SAFETY: in bounds and aligned as just checked; `&mut self` is the only writer, so load and
        // store need no compare-and-swap.
        let cell = unsafe { AtomicU64::from_ptr(self.rw.add(word).cast()) };
        let mut image = cell.load(Ordering::Relaxed).to_le_bytes();
        image[offset - word..offset - word + bytes.len()].copy_from_slice(bytes);
        cell.store(u64::from_le_bytes(image), Ordering::Release);
    }

    /// Puts a private copy of the first `used` bytes under both views, at the same addresses.
    ///
    /// No code of this region may run meanwhile, here or in another thread.
    pub(crate) fn unshare(&mut self, used: usize) -> Result<(), Errno> {
        if self.backing == Backing::OneView {
            return Ok(()); // a private mapping is copied by fork itself
        }
        let file = unnamed_file(self.len)?;
        let copy = map_file(&file, self.len, ProtFlags::READ | ProtFlags::WRITE, None)?;
        // SAFETY: both ranges are mapped, at least `used` long and distinct.
        unsafe { ptr::copy_nonoverlapping(self.rw, copy, used) }
        unmap(copy, self.len);
        map_file(
            &file,
            self.len,
            ProtFlags::READ | ProtFlags::WRITE,
            Some(self.rw),
        )?;
        map_file(
            &file,
            self.len,
            ProtFlags::READ | ProtFlags::EXEC,
            Some(self.rx),
        )?;
        Ok(())
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        unmap(self.rw, self.len);
        if self.backing == Backing::TwoViews {
            unmap(self.rx, self.len);
        }
    }
}

/// A file of `len` zero bytes without a name, allowed to be executed where kernels ask for that.
fn unnamed_file(len: usize) -> Result<OwnedFd, Errno> {
    let name = "pyrite-code";
    let file = rustix::fs::memfd_create(name, MemfdFlags::CLOEXEC | MemfdFlags::EXEC)
        .or_else(|_| rustix::fs::memfd_create(name, MemfdFlags::CLOEXEC))
        .or_else(|_| {
            let flags = OFlags::RDWR | OFlags::TMPFILE | OFlags::CLOEXEC;
            rustix::fs::open("/dev/shm", flags, Mode::RUSR | Mode::WUSR)
        })?;
    rustix::fs::ftruncate(&file, len as u64)?;
    Ok(file)
}

/// Maps `len` bytes of `file`, over the existing mapping at `at` when given.
fn map_file(
    file: &OwnedFd,
    len: usize,
    prot: ProtFlags,
    at: Option<*mut u8>,
) -> Result<*mut u8, Errno> {
    let (addr, flags): (*mut c_void, _) = match at {
        None => (ptr::null_mut(), MapFlags::SHARED),
        Some(view) => (view.cast(), MapFlags::SHARED | MapFlags::FIXED),
    };
    // SAFETY: without `at` the system picks free addresses; with it the range is a view owned by the
    // caller's `Mapping`, which is replaced as a whole by bytes of the same layout.
    let p = unsafe { rustix::mm::mmap(addr, len, prot, flags, file, 0)? };
    Ok(p.cast())
}

fn unmap(p: *mut u8, len: usize) {
    // SAFETY: `p .. p + len` was returned by `mmap`, and its owner is giving it up.
    let result = unsafe { rustix::mm::munmap(p.cast(), len) };
    debug_assert!(result.is_ok(), "a mapped range can be unmapped");
}
