//! The arithmetic of f64 that devices do in integers: each function on the GPU, and f64 itself.

use gumbel::AdapterReport;
use libtest_mimic::Failed;

use super::faults::replaced;
use super::probe::{Engine, Twin, Words, differences_in, random};
use super::{Check, ensure};

pub(crate) const CHECKS: &[(&str, Check)] = &[
    ("doubles::sums", |adapter| SUMS.holds(adapter)),
    ("doubles::products", |adapter| PRODUCTS.holds(adapter)),
    ("doubles::quotients", |adapter| QUOTIENTS.holds(adapter)),
    ("doubles::counts", |adapter| COUNTS.holds(adapter)),
    ("doubles::singles", |adapter| SINGLES.holds(adapter)),
    ("doubles::faults_are_seen", |adapter| {
        [SUMS, PRODUCTS, QUOTIENTS, COUNTS, SINGLES].iter().try_for_each(|t| t.sees(adapter))
    }),
];

/// A function, and mistakes in it that are seen.
struct Tried {
    twin: Twin,
    faults: &'static [(&'static str, &'static str)],
}

/// Four numbers of f32 as arguments, and the words of one f64 as a result.
const WORDS: &str = "
fn words(x: Double) -> vec4<u32> {
    return vec4<u32>(x.sign, bitcast<u32>(x.exponent), x.high, x.low);
}";

impl Tried {
    fn holds(&self, adapter: &AdapterReport) -> Result<(), Failed> {
        let twin = &self.twin;
        let differences = differences_in(adapter, Engine::Adjusting, twin, &items(), with_words)?;
        ensure(differences.iter().all(|&n| n == 0), || {
            format!("{differences:?} of {} items differ in {}", items().len(), twin.wgsl)
        })
    }

    fn sees(&self, adapter: &AdapterReport) -> Result<(), Failed> {
        let items = items();
        self.faults.iter().try_for_each(|(from, to)| {
            let edit = |source| with_words(replaced(source, from, to));
            let differences = differences_in(adapter, Engine::Adjusting, &self.twin, &items, edit)?;
            ensure(differences.iter().all(|&n| n > 0), || format!("not seen: {to}"))
        })
    }
}

fn with_words(source: String) -> String {
    source + WORDS
}

/// The bits of finite numbers: of any size, of like sizes, and special ones. None is 0 at the third place.
fn items() -> Vec<[Words; 2]> {
    const SPECIAL: [u32; 12] = [
        0,
        1 << 31,
        1,
        0x8000_0001,
        0x7f_ffff,
        0x80_0000,
        0x3f80_0000,
        0xbf80_0000,
        0x3f80_0001,
        0x7f7f_ffff,
        0xff7f_ffff,
        // half a unit of the largest number
        0x7300_0000,
    ];
    let any = |bits: u32| if bits & 0x7f80_0000 == 0x7f80_0000 { bits ^ 0x4000_0000 } else { bits };
    // exponents of 2^0 to 2^15, and of 2^0 to 2^63
    let alike = |bits: u32| (bits & 0x877f_ffff) | 0x3f80_0000;
    let near = |bits: u32| (bits & 0x9fff_ffff) | 0x2000_0000;
    let not_zero = |[a, b, c, d]: Words| [a, b, if c << 1 == 0 { 1 } else { c }, d];
    let of = |like: fn(u32) -> u32| random(40_000).map(move |[x, y]| [x.map(like), y]);
    let special = (0..12usize.pow(4)).map(|i| {
        let x = [i, i / 12, i / 144, i / 1728].map(|k| SPECIAL[k % 12]);
        [x, [(i as u32).wrapping_mul(0x9e37_79b9), 0, 0, 0]]
    });
    of(any).chain(of(alike)).chain(of(near)).chain(special).map(|[x, y]| [not_zero(x), y]).collect()
}

fn double(bits: u32) -> f64 {
    f32::from_bits(bits).into()
}

/// The words of a number that the shader has.
fn words(x: f64) -> Words {
    let bits = x.to_bits();
    let sign = ((bits >> 63) as u32) << 31;
    if x == 0.0 {
        return [sign, 0, 0, 0];
    }
    let exponent = ((bits >> 52) & 0x7ff) as i32;
    assert!(exponent > 0 && exponent < 2047, "{x} is neither normal nor 0");
    let mantissa = (1 << 63) | bits << 11;
    [sign, (exponent - 1023 - 63) as u32, (mantissa >> 32) as u32, mantissa as u32]
}

const SUMS: Tried = Tried {
    twin: Twin {
        wgsl: "words(sum_of_doubles(sum_of_doubles(double_of(x.x), double_of(x.y)), sum_of_doubles(double_of(x.z), \
               negated(double_of(x.w)))))",
        rust: |[a, b, c, d], _| words((double(a) + double(b)) + (double(c) - double(d))),
    },
    faults: &[
        (
            "(high << (32u - by)) | (low >> by) | u32(lost != 0u)",
            "(high << (32u - by)) | (low >> by)",
        ),
        ("u32(large.y < small.y)", "0u"),
        ("rest == 0x400u && (more || is_odd)", "rest == 0x400u && more"),
    ],
};

const PRODUCTS: Tried = Tried {
    twin: Twin {
        wgsl: "words(product_of_doubles(sum_of_doubles(double_of(x.x), double_of(x.y)), double_of(x.z)))",
        rust: |[a, b, c, _], _| words((double(a) + double(b)) * double(c)),
    },
    faults: &[("u32(low < lower.y)", "0u"), ("low, rest != 0u)", "low, false)")],
};

const QUOTIENTS: Tried = Tried {
    twin: Twin {
        wgsl: "words(quotient_of_doubles(sum_of_doubles(double_of(x.x), double_of(x.y)), double_of(x.z)))",
        rust: |[a, b, c, _], _| words((double(a) + double(b)) / double(c)),
    },
    faults: &[("if carry != 0u || left >= divisor", "if left >= divisor")],
};

const COUNTS: Tried = Tried {
    twin: Twin {
        wgsl: "words(sum_of_doubles(double_of(x.x), negated(product_of_doubles(double_of(x.y), double_of_word(0u, 0, \
               y.x)))))",
        rust: |[a, b, ..], [n, ..]| words(double(a) - double(b) * f64::from(n)),
    },
    faults: &[("if word == 0u {", "if word == 1u {")],
};

const SINGLES: Tried = Tried {
    twin: Twin {
        wgsl: "vec4<u32>(single_of(product_of_doubles(sum_of_doubles(double_of(x.x), double_of(x.y)), double_of(x.z))), \
               single_of(double_of(x.w)), single_of(sum_of_doubles(double_of(x.x), double_of(x.w))), 0u)",
        rust: |[a, b, c, d], _| {
            let [a, b, c, d] = [a, b, c, d].map(double);
            let single = |x: f64| (x.clamp(f32::MIN.into(), f32::MAX.into()) as f32).to_bits();
            [single((a + b) * c), single(d), single(a + d), 0]
        },
    },
    faults: &[
        ("x.low != 0u || (kept & 1u) != 0u", "(kept & 1u) != 0u"),
        ("biased < -24", "biased < 1"),
        ("return Double(a.sign & b.sign, 0, 0u, 0u);", "return Double(0u, 0, 0u, 0u);"),
        ("0x7f7fffffu);\n}", "0x7f800000u);\n}"),
    ],
};
