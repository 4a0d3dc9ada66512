//! The bounds of the prototype's filter, in double precision.

/// What draw.wgsl takes for the logarithm of a noise, and the slack that it allows itself.
fn low_log2(noise: f32) -> f64 {
    f64::from(noise.to_bits() as i32 as f32) / 2f64.powi(23)
}

/// An upper score is no less than what noise of these leading bits can reach, and a sure cutoff no more, but for
/// half of the slack.
#[test]
fn bounds_hold() {
    let slack = 1.0 / 2048.0;
    let time = |u: f64| -f64::ln_1p(-u);
    let log2 = |time: f64| time.log2() + 32.0 + 127.0;
    let words = (0..1u32 << 28).step_by(4099).chain(1..5000).chain((1 << 28) - 5000..1 << 28);
    for c in words {
        let first = |c: f64| time((c / 2f64.powi(28)).min(1.0 - 2f64.powi(-60))) / 16.0;
        let (least, most) = (first(f64::from(c)), first(f64::from(c) + 1.0));
        if c > 0 {
            assert!(low_log2(c as i32 as f32) <= log2(least) + slack, "{c}");
        }
        if c < 1 << 24 {
            assert!(low_log2((c + 1) as i32 as f32) + 0.25 - slack >= log2(most), "{c}");
        }
        for i in 0..40u32 {
            // a member that rings later by this
            let q = 0x9e37_79b9u32.wrapping_mul(c ^ i) >> i.min(31);
            let later = |q: f64| time((q / 2f64.powi(32)).min(1.0 - 2f64.powi(-64)));
            let noise = c as i32 as f32 + q as f32;
            if noise > 0.0 {
                assert!(low_log2(noise) <= log2(least + later(f64::from(q))) + slack, "{c} {q}");
            }
            if noise + 2.0 <= 16_777_216.0 {
                let most = most + later(f64::from(q) + 1.0);
                assert!(low_log2(noise + 2.0) + 0.25 - slack >= log2(most), "{c} {q}");
            }
        }
    }
}
