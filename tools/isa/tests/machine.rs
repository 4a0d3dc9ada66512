//! What instructions do, on programs of a few lines.

use gumbel_isa::listing::{Listing, Operand, Place};
use gumbel_isa::machine::{self, LANES, Wave};
use gumbel_isa::memory::Memory;

/// Where programs write: a descriptor in s[4:7], and an array of words behind it.
const OUT: u64 = 1 << 32;
const SCALARS: [u32; 8] = [0, 0, 0, 0, 0, 1, 1 << 10, 0];

/// Runs a program in waves, each of which then writes v1 at 4 times the number in v0.
fn run_waves(program: &str, waves: u32) -> (Vec<u32>, Vec<u64>) {
    let lines: String = program.lines().map(|line| format!("{} ; 0\n", line.trim())).collect();
    let end =
        "v_lshlrev_b32 v2, 2, v0 ; 0\nbuffer_store_b32 v1, v2, s[4:7], 0 offen ; 0\ns_endpgm ; 0\n";
    let listing = Listing::parse(&(lines + end)).unwrap();
    let mut memory = Memory::default();
    memory.put(OUT, vec![0; LANES * waves as usize]);
    let waves = (0..waves).map(|wave| Wave::new(&SCALARS, wave * LANES as u32)).collect();
    let mut counts = vec![];
    machine::run(&listing, &mut memory, waves, &mut counts).unwrap();
    (memory.at(OUT).unwrap().to_vec(), counts)
}

fn run(program: &str) -> Vec<u32> {
    run_waves(program, 1).0
}

#[test]
fn a_loop_ends_in_each_lane_when_its_time_has_come() {
    // v1 counts down from the lane's number modulo 8
    let program = "\
        v_and_b32 v3, 7, v0
        v_mov_b32 v1, 0
        BB1:
        v_cmpx_lt_u32 v1, v3
        s_cbranch_execz BB2
        v_add_nc_u32 v1, 1, v1
        s_branch BB1
        BB2:
        s_mov_b64 exec, -1";
    let (out, counts) = run_waves(program, 1);
    assert!(out.iter().enumerate().all(|(i, &n)| n as usize == i % 8));
    // seven turns, as many as the widest lane has
    assert_eq!(counts[4], 7);
}

#[test]
fn carries_go_from_word_to_word() {
    let program = "\
        v_mov_b32 v3, 0xffffffff
        v_add_co_u32 v4, vcc, v3, v0
        v_add_co_ci_u32 v1, vcc, 5, v3, vcc";
    // there is a carry from all lanes but the first
    assert!(run(program).iter().enumerate().all(|(i, &n)| n == if i == 0 { 4 } else { 5 }));
    let program = "\
        s_sub_u32 s8, 3, 5
        s_subb_u32 s9, 7, 1
        v_mov_b32 v1, s9";
    assert_eq!(run(program)[0], 5);
}

#[test]
fn products_of_32_bits_have_two_halves() {
    let program = "\
        v_mov_b32 v3, 0xd2511f53
        v_mul_hi_u32 v4, v3, v3
        v_mul_lo_u32 v5, v3, v3
        v_mad_u64_u32 v[6:7], s[8:9], v3, v3, 0
        v_xor_b32 v1, v4, v7
        v_xor_b32 v5, v5, v6
        v_or_b32 v1, v1, v5";
    assert_eq!(run(program)[0], 0);
}

#[test]
fn neighbours_are_where_the_modifiers_say() {
    let wanted = |f: fn(usize) -> usize| (0..LANES).map(|i| f(i) as u32).collect::<Vec<_>>();
    let moved = |modifier: &str| run(&format!("v_mov_b32_dpp v1, v0 {modifier}"));
    assert_eq!(moved("quad_perm:[1,0,3,2] row_mask:0xf bank_mask:0xf"), wanted(|i| i ^ 1));
    assert_eq!(moved("row_half_mirror row_mask:0xf bank_mask:0xf"), wanted(|i| i ^ 7));
    assert_eq!(moved("row_mirror row_mask:0xf bank_mask:0xf"), wanted(|i| i ^ 15));
    // v1 was 0, and stays where nothing comes
    let last = moved("row_bcast:15 row_mask:0xa bank_mask:0xf");
    assert_eq!((last[15], last[16], last[31], last[32], last[63]), (0, 15, 15, 0, 47));
    assert_eq!(moved("row_bcast:31 row_mask:0xc bank_mask:0xf")[31..34], [0, 31, 31]);
    assert_eq!(run("v_permlanex16_b32 v1, v0, 0, 0")[15..18], [16, 0, 0]);
}

#[test]
fn halves_of_registers_are_chosen_by_source() {
    let word = "v_mov_b32 v3, 0x00030007\n";
    let sdwa = "v_mul_u32_u24_sdwa v1, v3, v3 dst_sel:DWORD dst_unused:UNUSED_PAD src0_sel:WORD_1 src1_sel:WORD_0";
    assert_eq!(run(&format!("{word}{sdwa}"))[0], 21);
    let op_sel = "v_mad_u32_u16 v1, v3, v3, 1 op_sel:[0,1,0,0]";
    assert_eq!(run(&format!("{word}{op_sel}"))[0], 22);
}

#[test]
fn waves_wait_for_each_other_and_share_workgroup_memory() {
    let program = "\
        v_mov_b32 v3, 0
        v_mov_b32 v4, 7
        ds_store_b32 v3, v3
        s_barrier
        ds_max_u32 v3, v0
        ds_append v5 offset:4
        s_barrier
        ds_load_b32 v1, v3";
    let (out, _) = run_waves(program, 4);
    assert!(out.iter().all(|&n| n == 255));
}

#[test]
fn bits_are_tested_as_classes_of_floats() {
    // ACO asks for a bit of v0 in this way: -1 is a quiet NaN, whose class has bit 1, and 0x7c01 a signalling half
    let program = "\
        v_cmp_class_f32 vcc, -1, v0
        v_cndmask_b32 v3, 0, 2, vcc
        s_movk_i32 s8, 0x7c01
        v_cmp_class_f16 vcc, s8, v0
        v_cndmask_b32 v4, 0, 1, vcc
        v_or_b32 v1, v3, v4";
    assert!(run(program).iter().enumerate().all(|(i, &n)| n as usize == i & 3));
}

#[test]
fn what_is_not_known_is_said_when_it_is_reached() {
    let wave = || vec![Wave::new(&SCALARS, 0)];
    let simulate = |text| {
        let listing = Listing::parse(text).unwrap();
        machine::run(&listing, &mut Memory::default(), wave(), &mut vec![])
    };
    simulate("s_branch BB1 ; 0\nv_dance_b32 v0, v1 ; 0\nBB1:\ns_endpgm ; 0\n").unwrap();
    let error = simulate("v_dance_b32 v0, v1 ; 0\n").unwrap_err().to_string();
    assert!(error.contains("v_dance_b32") && error.contains("src/vector.rs"), "{error}");
}

#[test]
fn loads_beyond_a_buffer_are_0() {
    let out =
        run("v_lshlrev_b32 v3, 11, v0\nbuffer_load_b32 v1, v3, s[4:7], 0 offen\nv_not_b32 v1, v1");
    assert!(out.iter().all(|&n| n == !0));
    let constant = Operand { place: Place::Constant(9), count: 1, negated: false, absolute: false };
    assert_eq!(Wave::new(&SCALARS, 0).scalar(&constant).unwrap(), 9);
}
