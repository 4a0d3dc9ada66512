//! The arithmetic of pairs, and the order of keys: each function on the GPU and on the CPU.

use gumbel::AdapterReport;
use gumbel::noise::order::{Best, is_invalid};
use gumbel::noise::pair::{
    Pair, add64, extend64, leading_zeros64, neg64, pair, shl64, shr64, sub64, unpair,
};
use libtest_mimic::Failed;

use super::faults::replaced;
use super::probe::{Twin, Words, differences, edges, of_every_length, random, same};
use super::{Check, ensure};

pub(crate) const CHECKS: &[(&str, Check)] = &[
    ("pairs::sums", |adapter| SUMS.holds(adapter)),
    ("pairs::signs", |adapter| SIGNS.holds(adapter)),
    ("pairs::shifts", |adapter| SHIFTS.holds(adapter)),
    ("pairs::leading_zeros", |adapter| ZEROS.holds(adapter)),
    ("pairs::who_wins", |adapter| BEATS.holds(adapter)),
    ("pairs::nobody", |adapter| NOBODY.holds(adapter)),
    ("pairs::invalid_logits", |adapter| INVALID.holds(adapter)),
    ("pairs::faults_are_seen", |adapter| {
        [SUMS, SIGNS, SHIFTS, ZEROS, BEATS, NOBODY, INVALID]
            .iter()
            .try_for_each(|t| t.sees(adapter))
    }),
];

/// A function, the words to try it on, and mistakes in it that these words show.
struct Tried {
    twin: Twin,
    items: fn() -> Vec<[Words; 2]>,
    faults: &'static [(&'static str, &'static str)],
}

impl Tried {
    fn holds(&self, adapter: &AdapterReport) -> Result<(), Failed> {
        same(adapter, &self.twin, &(self.items)())
    }

    fn sees(&self, adapter: &AdapterReport) -> Result<(), Failed> {
        let items = (self.items)();
        self.faults.iter().try_for_each(|(from, to)| {
            let edit = |source| replaced(source, from, to);
            let differences = differences(adapter, &self.twin, &items, edit)?;
            ensure(differences.iter().all(|&n| n > 0), || format!("not seen: {to}"))
        })
    }
}

fn pairs([a, b, c, d]: Words) -> (Pair, Pair) {
    ([a, b], [c, d])
}

fn words([a, b]: Pair, [c, d]: Pair) -> Words {
    [a, b, c, d]
}

fn edges_and_random() -> Vec<[Words; 2]> {
    edges().chain(random(100_000)).collect()
}

const SUMS: Tried = Tried {
    twin: Twin {
        wgsl: "vec4<u32>(add64(x.xy, x.zw), sub64(x.xy, x.zw))",
        rust: |x, _| {
            let (a, b) = pairs(x);
            words(add64(a, b), sub64(a, b))
        },
    },
    items: edges_and_random,
    faults: &[
        ("a.y + b.y + u32(low < a.x)", "a.y + b.y"),
        ("low < a.x", "low <= a.x"),
        ("a.y - b.y - u32(a.x < b.x)", "a.y - b.y"),
        ("u32(a.x < b.x)", "u32(a.x <= b.x)"),
    ],
};

const SIGNS: Tried = Tried {
    twin: Twin {
        wgsl: "vec4<u32>(neg64(x.xy), extend64(bitcast<i32>(x.z)))",
        rust: |x, _| words(neg64([x[0], x[1]]), extend64(x[2] as i32)),
    },
    items: edges_and_random,
    faults: &[
        ("return sub64(vec2<u32>(0u, 0u), a);", "return ~a;"),
        ("bitcast<u32>(n >> 31u)", "bitcast<u32>(n) >> 31u"),
    ],
};

const SHIFTS: Tried = Tried {
    twin: Twin {
        wgsl: "vec4<u32>(shl64(x.xy, y.x), shr64(x.zw, y.x))",
        rust: |x, y| {
            let (a, b) = pairs(x);
            words(shl64(a, y[0]), shr64(b, y[0]))
        },
    },
    items: || {
        let counted = |x, n| [x, [n, 0, 0, 0]];
        let edges = edges().filter(|[x, _]| x[..2] == x[2..]);
        edges
            .flat_map(|[x, _]| (0..64).map(move |n| counted(x, n)))
            .chain((0..).zip(random(100_000)).map(|(i, [x, _])| counted(x, i % 64)))
            .collect()
    },
    faults: &[
        ("select(0u, a.x >> ((32u - s) & 31u), s != 0u)", "a.x >> ((32u - s) & 31u)"),
        ("select(0u, a.y << ((32u - s) & 31u), s != 0u)", "a.y << ((32u - s) & 31u)"),
        ("vec2<u32>(0u, near.x), n >= 32u", "vec2<u32>(0u, near.x), n > 32u"),
        ("vec2<u32>(near.y, 0u), n >= 32u", "vec2<u32>(near.y, 0u), n > 32u"),
    ],
};

const ZEROS: Tried = Tried {
    twin: Twin {
        wgsl: "vec4<u32>(leading_zeros64(x.xy), leading_zeros64(x.zw), 0u, 0u)",
        rust: |x, _| {
            let (a, b) = pairs(x);
            [leading_zeros64(a), leading_zeros64(b), 0, 0]
        },
    },
    items: || edges().chain(of_every_length()).collect(),
    faults: &[("countLeadingZeros(a.x), a.y == 0u", "countLeadingZeros(a.x), a.y <= 1u")],
};

/// Two candidates, (low, high, category) each, compared with one another and with no candidate.
const BEATS: Tried = Tried {
    twin: Twin {
        wgsl: "vec4<u32>(vec4<bool>(
            beats(Best(x.xy, x.z), Best(y.xy, y.z)),
            beats(Best(y.xy, y.z), Best(x.xy, x.z)),
            beats(Best(x.xy, x.z), best_none()),
            beats(best_none(), Best(x.xy, x.z)),
        ))",
        rust: |x, y| {
            let best = |w: Words| Best { key: unpair([w[0], w[1]]) as i64, category: w[2] };
            let (a, b) = (best(x), best(y));
            [a.beats(b), b.beats(a), a.beats(Best::NONE), Best::NONE.beats(a)].map(u32::from)
        },
    },
    items: || {
        let all = edges_and_random();
        let two = |i: usize| (all[i][0], all[(i + 1234) % all.len()][0]);
        (0..all.len())
            .flat_map(|i| {
                // if bit k of `shared` is set, word k is the same in both: keys are often equal,
                // and often everything is
                [i % 8, 3, 7].map(|shared| {
                    let (x, y) = two(i);
                    let word = |k| if shared >> k & 1 == 1 { x[k] } else { y[k] };
                    [x, [word(0), word(1), word(2), 0]]
                })
            })
            .collect()
    },
    faults: &[
        ("bitcast<i32>(a.key.y) > bitcast<i32>(b.key.y)", "a.key.y > b.key.y"),
        ("return a.key.x > b.key.x;", "return bitcast<i32>(a.key.x) > bitcast<i32>(b.key.x);"),
        ("a.category < b.category", "a.category <= b.category"),
        ("a.category < b.category", "bitcast<i32>(a.category) < bitcast<i32>(b.category)"),
        ("vec2<u32>(0u, 0x80000000u), NO_CATEGORY", "vec2<u32>(0u, 0u), NO_CATEGORY"),
    ],
};

const NOBODY: Tried = Tried {
    twin: Twin {
        wgsl: "vec4<u32>(best_none().key, best_none().category, 0u)",
        rust: |_, _| {
            let [low, high] = pair(Best::NONE.key as u64);
            [low, high, Best::NONE.category, 0]
        },
    },
    items: || vec![[[0; 4]; 2]],
    faults: &[
        ("vec2<u32>(0u, 0x80000000u), NO_CATEGORY", "vec2<u32>(1u, 0x80000000u), NO_CATEGORY"),
        ("vec2<u32>(0u, 0x80000000u), NO_CATEGORY", "vec2<u32>(0u, 0x80000000u), 0u"),
    ],
};

/// Every upper half of a float's bits, with the lower halves at which the result changes.
const INVALID: Tried = Tried {
    twin: Twin {
        wgsl: "vec4<u32>(vec4<bool>(
            is_invalid(x.x), is_invalid(x.y), is_invalid(x.z), is_invalid(x.w),
        ))",
        rust: |x, _| x.map(|bits| is_invalid(bits).into()),
    },
    items: || {
        (0..1 << 16)
            .map(|upper| [[0, 1, 0x8000, 0xffff].map(|lower| upper << 16 | lower), [0; 4]])
            .collect()
    },
    faults: &[
        ("> 0x7f800000u || bits", ">= 0x7f800000u || bits"),
        ("> 0x7f800000u || bits", "> 0x7f800001u || bits"),
        (" || bits == 0x7f800000u", ""),
    ],
};
