//! How a program is run: the settings that must make no difference.

use pyrite_gc::{Config, Evacuate, Stress};
use pyrite_interp::jit::{Params, Switches};
use pyrite_jit_fuzz::Rng;
use pyrite_jit_opt::{Pass, PassSet};

/// Settings of one run. `None` as `params`: the interpreter alone.
#[derive(Clone, Debug)]
pub struct Mode {
    pub params: Option<Params>,
    pub threshold: u32,
    pub gc: Option<Stress>,
    /// Everything that may move moves.
    pub moving: bool,
}

const SWITCHES: [&str; 7] = [
    "inline",
    "frames",
    "attrs",
    "watch",
    "bridges",
    "functions",
    "leaf",
];
/// All of them.
const ALL: u32 = (1 << SWITCHES.len()) - 1;

fn switches(bits: u32) -> Switches {
    Switches {
        inline: bits & 1 != 0,
        frames: bits & 2 != 0,
        attrs: bits & 4 != 0,
        watch: bits & 8 != 0,
        bridges: bits & 16 != 0,
        functions: bits & 32 != 0,
        leaf: bits & 64 != 0,
    }
}

fn bits(s: Switches) -> u32 {
    let all = [
        s.inline,
        s.frames,
        s.attrs,
        s.watch,
        s.bridges,
        s.functions,
        s.leaf,
    ];
    (0..).zip(all).map(|(i, on)| u32::from(on) << i).sum()
}

impl Mode {
    /// The interpreter alone: what the others are compared with.
    pub fn off() -> Mode {
        Mode {
            params: None,
            threshold: 0,
            gc: None,
            moving: false,
        }
    }

    /// The JIT with these passes and switches, recording loops at `threshold` as
    /// the option `--jit-threshold` has it.
    pub fn jit(passes: PassSet, on: Switches, threshold: u32) -> Mode {
        Mode {
            params: Some(Params {
                loop_threshold: threshold as i32 - 1,
                exit_threshold: (threshold * 15 / 100).max(1),
                passes,
                switches: on,
                ..Params::default()
            }),
            threshold,
            gc: None,
            moving: false,
        }
    }

    /// The modes in which the program of `seed` is tried. Half of the programs run with
    /// all optimizations, a fifth with none, the others with a random part of them, one
    /// in four in two of these ways: more programs find more than more runs of each.
    /// One run in eight has the collector under stress.
    pub fn of_seed(seed: u64) -> Vec<Mode> {
        let mut rng = Rng::new(seed ^ 0x00C0_FFEE_5EED);
        let runs = if rng.chance(25) { 2 } else { 1 };
        (0..runs)
            .map(|_| {
                let mut mode = Mode::random(&mut rng);
                if rng.chance(12) {
                    mode.stress(&mut rng);
                }
                mode
            })
            .collect()
    }

    fn random(rng: &mut Rng) -> Mode {
        let threshold = rng.pick(&[1, 1, 2, 2, 7]);
        let all = switches(ALL);
        match rng.below(10) {
            0..=4 => Mode::jit(PassSet::all(), all, threshold),
            5 | 6 => Mode::jit(PassSet::NONE, all, threshold),
            _ => {
                let passes = match rng.below(3) {
                    0 => PassSet::all().without(rng.pick(Pass::ALL)),
                    _ => PassSet::from_bits(rng.bits() as u32),
                };
                let on = match rng.below(3) {
                    0 => all,
                    1 => switches(ALL ^ 1 << rng.below(SWITCHES.len())),
                    _ => switches(rng.bits() as u32),
                };
                Mode::jit(passes, on, threshold)
            }
        }
    }

    /// Puts the collector under stress: it collects often, or moves what it can.
    fn stress(&mut self, rng: &mut Rng) {
        self.moving = rng.chance(50);
        let tiny_windows = !self.moving || rng.chance(50);
        self.gc = Some(Stress {
            // Each small window is an allocation, a usual one hundreds.
            every: match (self.moving, tiny_windows) {
                (false, _) => [20, 50, 200][rng.below(3)],
                (true, true) => 50,
                (true, false) => 1,
            },
            full_every: 16,
            tiny_windows,
            poison: true,
            verify: rng.chance(20),
            exits: rng.chance(50),
        });
        // An exit makes objects, too, and may collect; one with a bridge is rarely taken.
        if let Some(p) = &mut self.params
            && rng.chance(40)
        {
            p.switches.bridges = false;
        }
    }

    /// The collector's configuration.
    pub fn heap(&self) -> Config {
        let plain = Config::default();
        match self.gc {
            None => plain,
            Some(stress) => Config {
                young_bytes: 64 << 10,
                evacuate: if self.moving {
                    Evacuate::Always
                } else {
                    Evacuate::Adaptive
                },
                stress,
                ..plain
            },
        }
    }

    /// The same as options of the `pyrite` command (of the collector's stress, the
    /// nearest).
    pub fn flags(&self) -> String {
        let mut out = match &self.params {
            None => "--jit=off".to_owned(),
            Some(p) => {
                let s = bits(p.switches);
                let mut names: Vec<String> = Pass::ALL
                    .iter()
                    .filter(|pass| p.passes.has(**pass))
                    .map(|pass| pass.name().to_owned())
                    .collect();
                let on = SWITCHES.iter().enumerate();
                if p.passes == PassSet::NONE {
                    let off: Vec<String> = on
                        .filter(|(i, _)| s >> i & 1 == 0)
                        .map(|(_, n)| format!("-{n}"))
                        .collect();
                    let passes = if off.is_empty() {
                        String::new()
                    } else {
                        format!(" --jit-passes={}", off.join(","))
                    };
                    format!("--jit=noopt{passes} --jit-threshold={}", self.threshold)
                } else {
                    names.extend(
                        on.filter(|(i, _)| s >> i & 1 != 0)
                            .map(|(_, n)| (*n).to_owned()),
                    );
                    format!(
                        "--jit=opt --jit-passes={} --jit-threshold={}",
                        names.join(","),
                        self.threshold
                    )
                }
            }
        };
        if let Some(gc) = self.gc {
            if gc.exits {
                out += " --gc-stress=exits";
            } else if self.moving {
                out += " --gc-stress=move";
            } else {
                out += &format!(" --gc-stress={}", gc.every);
            }
        }
        out
    }
}
