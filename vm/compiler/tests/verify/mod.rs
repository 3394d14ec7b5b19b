//! Checks that hold for every code unit, whatever its source.

use pyrite_bytecode::{CodeUnit, Const, FRAME_HEADER, Op, OperandKind};

/// Panics with the unit's name and instruction if an operand is out of range.
pub(crate) fn verify(unit: &CodeUnit) {
    let n = unit.instrs.len() as i64;
    let at = |i: usize| format!("{} ({}) instruction {i}", unit.qualname, unit.filename);
    assert!(n > 0, "{}: no instructions", at(0));
    assert_eq!(unit.positions.len() as i64, n, "{}", at(0));
    let target_ok = |i: usize, t: i64| assert!((0..n).contains(&t), "{}: jump to {t}", at(i));
    for (i, ins) in unit.instrs.iter().enumerate() {
        let op = ins.op();
        for &(letter, kind) in op.operands() {
            let v = match letter {
                'a' => ins.a(),
                'b' => ins.b(),
                _ => ins.c(),
            };
            match kind {
                OperandKind::Read | OperandKind::Write | OperandKind::ReadWrite => {
                    let unused = op == Op::FORMAT_VALUE && v == 65_535
                        || op == Op::RAISE
                            && (ins.d() as usize) < letter as usize - 'a' as usize + 1
                        || matches!(
                            op,
                            Op::BUILD_LIST | Op::BUILD_TUPLE | Op::BUILD_SET | Op::BUILD_MAP
                        ) && ins.c() == 0;
                    assert!(
                        unused || v < unit.frame_size as usize,
                        "{}: register {v}",
                        at(i)
                    );
                }
                OperandKind::Const => assert!(v < unit.consts.len(), "{}: constant {v}", at(i)),
                OperandKind::Cache => assert!(v < unit.caches.len(), "{}: cache {v}", at(i)),
                OperandKind::Window => {
                    let room = match op {
                        Op::CALL | Op::CALL_KW => FRAME_HEADER + ins.b(),
                        Op::CALL_METHOD | Op::CALL_METHOD_KW => FRAME_HEADER + 1 + ins.b(),
                        Op::CALL_EX => FRAME_HEADER + 1 + ins.b(),
                        _ => FRAME_HEADER + 1,
                    };
                    assert!(
                        v + room <= unit.frame_size as usize,
                        "{}: window {v}",
                        at(i)
                    );
                }
                OperandKind::Offset32 if op == Op::LOAD_INT => {}
                OperandKind::Offset32 => target_ok(i, i as i64 + 1 + i64::from(ins.off())),
                OperandKind::Offset16 => target_ok(i, i as i64 + 1 + i64::from(ins.s16())),
                OperandKind::Number => {}
            }
        }
        if op == Op::LOOP {
            let header = unit.loops[ins.b()];
            assert!(header as usize <= i, "{}: loop header {header}", at(i));
        }
    }
    let last = unit.instrs[unit.instrs.len() - 1];
    let leaves = matches!(
        last.op(),
        Op::RETURN | Op::RERAISE | Op::RAISE | Op::JUMP | Op::LOOP
    );
    assert!(leaves, "{}: falls off the end", at(unit.instrs.len() - 1));
    for e in &unit.exceptions {
        assert!(e.start < e.end && i64::from(e.end) <= n, "{}: {e:?}", at(0));
        target_ok(0, i64::from(e.target));
        assert!(u32::from(e.reg) < unit.frame_size, "{}: {e:?}", at(0));
    }
    for c in &unit.consts {
        if let Const::Code(inner) = c {
            verify(inner);
        }
    }
}
