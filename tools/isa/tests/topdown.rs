//! Waves of the prototype draw what its definition says. The test needs RADV: `scripts/isa --topdown` runs it.

use gumbel_isa::radv::Chip;
use gumbel_isa::topdown::{Batch, Program, simulate, source};
use gumbel_isa::workload::FAMILIES;

/// The batches of which waves draw something else.
fn failures(text: &str, int64: bool, bf16: bool, family: usize) -> Vec<String> {
    let family = FAMILIES[family];
    let chip = Chip::open(family.name, int64).unwrap();
    let program = Program::new(&chip, text, int64).unwrap();
    let run = |batch: Batch| simulate(family, &program, &batch, bf16).err();
    Batch::awkward().into_iter().filter_map(run).map(|e| e.to_string()).collect()
}

/// One test, as opening a chip sets the environment.
#[test]
#[ignore = "needs RADV: scripts/isa --topdown"]
fn draws_equal_the_definition_and_faults_are_found() {
    for (int64, bf16, family) in
        [(true, false, 0), (false, false, 0), (true, true, 0), (true, false, 1), (false, true, 1)]
    {
        let none: [String; 0] = [];
        assert_eq!(failures(&source(int64, bf16, false), int64, bf16, family), none);
    }
    let faults = [
        // a cutoff that is too high
        ("- POWER * 0.25;\n}\n\nfn cutoff_of_key", "+ POWER * 2.0;\n}\n\nfn cutoff_of_key"),
        // another's noise
        ("select(block.xy, block.zw, (category & 16u) != 0u)", "block.xy"),
        // the bits of a first alarm
        ("vec2<u32>(rest[group & 3u], word >> 4u)", "vec2<u32>(0u, word)"),
        // a group without room that does not come again
        ("atomicMin(&lost, turn);", ""),
        // members without room
        ("at + wanted <= ROOM", "at + wanted <= ROOM + 16u"),
        // the end of a row
        ("passing &= (1u << min(left, 16u)) - 1u;", ""),
        // the largest of negative numbers
        ("tops = select(tops, nearest_of(x), most < vec4<i32>(0));", ""),
        // what is not a number
        ("seen.positive >= 0x7f800000 ||", "seen.positive > 0x7f800000 ||"),
        ("|| seen.negative > NEG_INFINITY", ""),
    ];
    for (right, wrong) in faults {
        let text = source(true, false, false);
        assert!(text.contains(right), "{right}");
        let found = failures(&text.replacen(right, wrong, 1), true, false, 0);
        println!("{wrong:?}: {} batches", found.len());
        assert!(!found.is_empty(), "{wrong} is not found");
    }
}
