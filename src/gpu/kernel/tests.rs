use std::mem::offset_of;

use super::pass::{CONTINUED, KEYED};
use super::*;

fn source() -> String {
    Variant {
        kernel: Kernel::Stream,
        reduction: Reduction::Workgroup,
        groups: false,
        format: crate::options::ValueFormat::F32,
        vec4: false,
        each: false,
        immediates: false,
        restriction: Restriction::None,
        int64: false,
        emulated: false,
        workgroup_size: 64,
    }
    .source()
}

/// The uniform is laid out by two compilers: their offsets agree, field by field.
#[test]
fn the_pass_is_laid_out_as_in_the_shader() {
    let module = naga::front::wgsl::parse_str(&source()).unwrap();
    let (members, span) = module
        .types
        .iter()
        .find_map(|(_, ty)| match &ty.inner {
            naga::TypeInner::Struct { members, span } if ty.name.as_deref() == Some("Pass") => {
                Some((members, *span))
            }
            _ => None,
        })
        .unwrap();
    let shader: Vec<_> =
        members.iter().map(|m| (m.name.as_deref().unwrap(), m.offset as usize)).collect();
    macro_rules! offsets {
        ($($field:ident),*) => { vec![$((stringify!($field), offset_of!(Pass, $field))),*] };
    }
    let host = offsets![
        seed,
        first_row,
        rows,
        draws,
        first_draw,
        first_category,
        categories,
        first_logit,
        row_stride,
        source_rows,
        lanes,
        parts,
        part_octets,
        draws_at_once,
        flags,
        scale,
        slope,
        clamp_bits,
        record,
        k
    ];
    assert_eq!(shader, host);
    assert_eq!(span as usize, size_of::<Pass>());
}

#[test]
fn the_flags_are_those_of_the_shader() {
    let source = source() + include_str!("../../../shaders/kernel/log_probs.wgsl");
    for (name, value) in [
        ("UNFILTERED", UNFILTERED),
        ("CONTINUED", CONTINUED),
        ("UNFINISHED", UNFINISHED),
        ("EACH_ID", EACH_ID),
        ("EACH_SEED", EACH_SEED),
        ("EACH_TEMPERATURE", EACH_TEMPERATURE),
        ("EACH_FIRST_DRAW", EACH_FIRST_DRAW),
        ("GATHERED", GATHERED),
        ("KEYED", KEYED),
        ("SUMMED", SUMMED),
        ("WITH_LOG_PROBS", WITH_LOG_PROBS),
        ("WITH_LOGSUMEXPS", WITH_LOGSUMEXPS),
    ] {
        assert!(source.contains(&format!("const {name}: u32 = {value}u;")), "{name}");
    }
}
