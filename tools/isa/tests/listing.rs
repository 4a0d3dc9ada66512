//! What is read of the machine code that RADV prints.

use gumbel_isa::account::Account;
use gumbel_isa::cost::{Class, class, units};
use gumbel_isa::listing::{Listing, Operation, Place};

/// A loop with a part that few turns enter and a loop in that; by the pieces, as RADV prints them.
const SAMPLE: &str = "\
BB0:
	s_load_b128 s[8:11], s[2:3], null                           ; f4080201 f8000000
	v_mul_hi_u32 v2, v0, s5                                     ; d72d0002 00000b00
BB1:
	buffer_load_b128 v[12:15], v6, s[12:15], 0 offen            ; e05c0000 80430c06
	buffer_load_b128 v[24:27], v6, s[12:15], 0 offen offset:16  ; e05c0010 80431806
	s_delay_alu instid0(VALU_DEP_1) | instskip(NEXT) | instid1(VALU_DEP_1) ; bf870091
	v_lshrrev_b64 v[52:53], 32, v[52:53]                        ; d73c0034 00026834
	v_cmpx_ge_f32_e32 v8, v3                                    ; 7c2c0708
	s_cbranch_execz BB4                                         ; bfa50014
BB2:
	v_max_f32_e32 v1, v1, v2                                    ; 20020501
	v_rcp_f32_e32 v1, v1                                        ; 7e025501
BB3:
	v_xor3_b32 v52, s34, v52, v41                               ; d6400034 04a66822
	s_cbranch_scc0 BB3                                          ; bfa10002
BB4:
	s_mov_b64 exec, s[6:7]                                      ; befe0106
	s_cbranch_scc1 BB1                                          ; bfa20002
BB5:
	v_max_u32_dpp v47, v47, v47 quad_perm:[1,0,3,2] row_mask:0xf bank_mask:0xf fi:1 ; 285e5efa ff04b12f
	v_add_f32_e64 v47, s49, -|v47|                              ; d503002f 40025e31
	s_nop 0                                                     ; bf800000
	(then repeated 2 times)
	s_endpgm                                                    ; bfb00000
";

fn sample() -> Listing {
    Listing::parse(SAMPLE).unwrap()
}

fn at<'a>(listing: &'a Listing, name: &str) -> &'a gumbel_isa::listing::Instruction {
    listing.instructions.iter().find(|of| of.name == name).unwrap()
}

#[test]
fn instructions_lose_how_they_are_encoded_and_jump_to_their_labels() {
    let listing = sample();
    let code = &listing.instructions;
    assert_eq!(code.len(), 20);
    assert_eq!(code[2].name, "buffer_load_b128");
    assert_eq!(at(&listing, "s_cbranch_execz").target, Some(12));
    assert_eq!(code.iter().filter(|of| of.name == "s_nop").count(), 3);
    assert!(matches!(code[19].operation, Operation::End));
    assert!(code.iter().all(|of| !matches!(of.operation, Operation::Unknown)));
}

#[test]
fn operands_are_registers_constants_and_floats_with_signs() {
    let listing = sample();
    let of = at(&listing, "buffer_load_b128");
    let places: Vec<_> = of.operands.iter().map(|o| (o.place, o.count)).collect();
    let wanted = [
        (Place::Vector(12), 4),
        (Place::Vector(6), 1),
        (Place::Scalar(12), 4),
        (Place::Constant(0), 1),
    ];
    assert_eq!(places, wanted);
    assert!(of.has("offen"));
    assert_eq!(listing.instructions[3].number("offset"), 16);
    let swizzled = at(&listing, "v_max_u32");
    assert_eq!(swizzled.modifier("quad_perm"), Some("[1,0,3,2]"));
    assert_eq!(swizzled.number("row_mask"), 15);
    let signed = at(&listing, "v_add_f32").operands[2];
    assert!(signed.negated && signed.absolute);
    assert_eq!(at(&listing, "s_load_b128").operands[2].place, Place::Null);
}

#[test]
fn what_the_printer_leaves_out_is_read_from_its_words() {
    let text = "\
	(invalid instruction)                                        ; d1c10029
	s_max_u32 s42, s41, s82                                     ; Warning: not aligned ; 84aa5229
	(invalid instruction)                                        ; 2c949629
";
    let listing = Listing::parse(text).unwrap();
    let names: Vec<_> = listing.instructions.iter().map(|of| of.name.as_str()).collect();
    assert_eq!(names, ["v_mad_f32", "v_mac_f32"]);
    let [to, a, b, c] = listing.instructions[0].operands[..] else { panic!("four operands") };
    assert_eq!(to.place, Place::Vector(41));
    assert_eq!(
        (a.place, b.place, c.place),
        (Place::Scalar(41), Place::Vector(41), Place::Vector(42))
    );
    assert!(c.negated && !a.negated && !b.negated);
}

#[test]
fn an_operand_that_is_not_known_is_named_with_its_line() {
    let error = Listing::parse("\tv_mov_b32_e32 v1, w2 ; 7e020280\n").unwrap_err().to_string();
    assert!(error.contains("v_mov_b32_e32 v1, w2") && error.contains("known: w2"), "{error}");
}

#[test]
fn units_are_of_the_vector_pipe_alone() {
    let listing = sample();
    let cost = |name| (class(at(&listing, name)), units(at(&listing, name)));
    assert_eq!(cost("v_mul_hi_u32"), (Class::Product, 4));
    assert_eq!(cost("v_lshrrev_b64"), (Class::Wide, 2));
    assert_eq!(cost("v_rcp_f32"), (Class::Transcendental, 4));
    assert_eq!(cost("v_xor3_b32"), (Class::Full, 1));
    assert_eq!(cost("buffer_load_b128"), (Class::Memory, 0));
    assert_eq!(cost("s_load_b128"), (Class::Scalar, 0));
    let products = Listing::parse(
        "\tv_mul_u32_u24_e32 v1, v2, v3 ; 0\n\tv_mul_hi_u32_u24_e32 v1, v2, v3 ; 0\n",
    );
    assert!(products.unwrap().instructions.iter().all(|of| units(of) == 1));
}

/// Ten turns, of which four enter the part, and seven of the inner loop.
#[test]
fn an_account_puts_units_where_their_instructions_are() {
    let listing = sample();
    let mut counts = vec![1; 20];
    counts[2..8].fill(10);
    counts[8..10].fill(4);
    counts[10..12].fill(7);
    counts[12..14].fill(10);
    let account = Account { logits: 64 * 80, waves: 1, ..Account::of(&listing, &counts) };
    assert_eq!((account.turns, account.entered), (10, Some(4)));
    assert_eq!(account.share_entered(), Some(0.4));
    let regions = account.regions;
    assert_eq!(regions.opening, 4);
    assert_eq!(regions.turns, 10 * (2 + 1));
    assert_eq!(regions.scores, 4 * (1 + 4));
    assert_eq!(regions.exact, 7);
    assert_eq!(regions.end, 2);
    assert_eq!((regions.opening_exact, regions.merge), (0, 0));
    assert_eq!(account.turn.loads, [16, 16]);
    assert_eq!(account.turn_a_logit(4), Some(3.0 / 8.0));
    assert_eq!(account.units_a_logit(), f64::from(4 + 30 + 20 + 7 + 2) / 80.0);
}

/// A loop that loads and has another in it, within a loop that has one more, which loads less.
const NESTED: &str = "\
BB0:
	v_mul_hi_u32 v2, v0, s5                                     ; 0
BB1:
	s_mov_b64 exec, s[6:7]                                      ; 0
BB2:
	buffer_load_b128 v[12:15], v6, s[12:15], 0 offen            ; 0
	v_max_f32_e32 v1, v1, v2                                    ; 0
BB3:
	v_xor3_b32 v52, s34, v52, v41                               ; 0
	s_cbranch_scc0 BB3                                          ; bfa1fffe
	s_cbranch_scc1 BB2                                          ; bfa2fffa
BB4:
	buffer_load_b32 v12, v6, s[12:15], 0 offen                  ; 0
	v_rcp_f32_e32 v1, v1                                        ; 0
BB5:
	buffer_load_b64 v[12:13], v6, s[12:15], 0 offen             ; 0
	v_lshrrev_b64 v[52:53], 32, v[52:53]                        ; 0
	s_cbranch_scc0 BB5                                          ; bfa1fffd
	s_cbranch_scc1 BB1                                          ; bfa2fff3
BB6:
	v_max_f32_e32 v1, v1, v2                                    ; 0
	s_endpgm                                                    ; bfb00000
";

/// Two passes of the outer loop: twelve turns, in which nine groups are queued, and five members are settled.
#[test]
fn an_account_of_a_loop_within_another_says_what_settles() {
    let listing = Listing::parse(NESTED).unwrap();
    let counts = [1, 2, 12, 12, 9, 9, 12, 2, 2, 5, 5, 5, 2, 1, 1];
    let account = Account { logits: 64 * 48, waves: 1, ..Account::of(&listing, &counts) };
    assert_eq!((account.turns, account.entered, account.share_entered()), (12, None, None));
    let regions = account.regions;
    assert_eq!((regions.opening, regions.turns, regions.scores), (4, 12, 9));
    assert_eq!((regions.exact, regions.end), (2 * 4 + 5 * 2, 1));
    assert_eq!((regions.opening_exact, regions.merge), (0, 0));
    assert_eq!(account.turn.loads, [16]);
    assert_eq!(account.units_a_logit(), f64::from(4 + 12 + 9 + 18 + 1) / 48.0);
}
