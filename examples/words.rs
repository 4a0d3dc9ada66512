//! Ten million draws from real data: English letters, each drawn given the one before it.
//!
//! `cargo run --release --example words`
//!
//! `data/letters.npy` holds 27 rows of 27 logits, the logarithms of how often one letter follows
//! another. Every row is drawn from 370,371 times at once. The draws are then compared with the
//! exact probabilities, and strung together to words that no dictionary has.

use std::error::Error;
use std::fs::File;
use std::io::BufReader;
use std::time::Instant;

use gumbel::{Logits, SampleOptions, Sampler};

const LETTERS: &[u8; 27] = b"abcdefghijklmnopqrstuvwxyz.";
/// The category of the edge of a word.
const EDGE: usize = 26;
const DRAWS: u32 = 370_371;

fn main() -> Result<(), Box<dyn Error>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/letters.npy");
    let logits: Vec<f32> = npyz::NpyFile::new(BufReader::new(File::open(path)?))?.into_vec()?;
    let logits = Logits::new(&logits, LETTERS.len())?;

    let sampler = Sampler::auto();
    println!("Drawing on the {sampler}: {}.", sampler.reason());
    let options = SampleOptions::default().with_seed(1).with_draws(DRAWS);
    let started = Instant::now();
    let draws = sampler.sample_rows(logits, &options)?;
    let seconds = started.elapsed().as_secs_f64();
    let (n, rate) = (draws.len(), draws.len() as f64 / seconds / 1e6);
    println!("{n} draws in {seconds:.2} s, {rate:.1} million a second.\n");

    let counts = count(&draws);
    picture(&counts);
    compare(logits, &counts);
    invent(&draws);
    Ok(())
}

/// Returns how often each letter was drawn after each.
fn count(draws: &[u32]) -> [[u32; 27]; 27] {
    let mut counts = [[0; 27]; 27];
    for (row, draws) in counts.iter_mut().zip(draws.chunks(DRAWS as usize)) {
        for &draw in draws {
            row[draw as usize] += 1;
        }
    }
    counts
}

/// Prints the counts as shades: rows are the letter before, columns the letter drawn.
fn picture(counts: &[[u32; 27]; 27]) {
    const SHADES: [&str; 6] = ["  ", "··", "░░", "▒▒", "▓▓", "██"];
    const STEPS: [f64; 5] = [1e-9, 0.01, 0.04, 0.1, 0.25];
    println!("What follows each letter (. is the edge of a word); darker is more often:\n");
    println!("    {}", LETTERS.map(|letter| format!("{} ", letter as char)).concat());
    for (&letter, row) in LETTERS.iter().zip(counts) {
        let shade = |&n: &u32| {
            let share = f64::from(n) / f64::from(DRAWS);
            SHADES[STEPS.iter().filter(|&&step| share >= step).count()]
        };
        println!("  {} {}", letter as char, row.iter().map(shade).collect::<String>());
    }
    println!();
}

/// Compares the frequencies with the probabilities exp(logit) / Σ exp(logit).
fn compare(logits: Logits<'_>, counts: &[[u32; 27]; 27]) {
    let n = f64::from(DRAWS);
    let (mut chi_square, mut freedom, mut impossible, mut drawn) = (0.0, 0, 0, 0);
    println!("  after   drawn  probability   frequency");
    for (row, counts) in counts.iter().enumerate() {
        let weights: Vec<f64> = logits.row(row).iter().map(|&x| f64::from(x).exp()).collect();
        let total: f64 = weights.iter().sum();
        let mut cells = 0;
        for (category, (&weight, &count)) in weights.iter().zip(counts).enumerate() {
            let p = weight / total;
            if p == 0.0 {
                impossible += 1;
                drawn += count;
                continue;
            }
            chi_square += (f64::from(count) - n * p).powi(2) / (n * p);
            cells += 1;
            if [(b'q', b'u'), (b't', b'h'), (b'e', b'.'), (b'.', b's'), (b'h', b'q')]
                .contains(&(LETTERS[row], LETTERS[category]))
            {
                let [before, after] = [LETTERS[row], LETTERS[category]].map(char::from);
                let frequency = f64::from(count) / n;
                println!("  {before:5}   {after:5}  {p:11.6}   {frequency:9.6}");
            }
        }
        freedom += cells - 1;
    }
    let sigma = (chi_square - f64::from(freedom)) / (2.0 * f64::from(freedom)).sqrt();
    println!(
        "\nAll pairs: chi-square {chi_square:.1} on {freedom} degrees of freedom, {sigma:+.1} sigma."
    );
    println!("Draws among the {impossible} pairs of probability 0: {drawn}.\n");
}

/// Strings the draws together: the letter after a letter is the next draw of that letter's row.
fn invent(draws: &[u32]) {
    let mut rows: Vec<_> = draws.chunks(DRAWS as usize).map(|row| row.iter()).collect();
    let mut next_after = |letter: usize| rows[letter].next().map(|&next| next as usize);
    let (mut word, mut letter, mut words, mut shown) = (String::new(), EDGE, 0, Vec::new());
    while let Some(next) = next_after(letter) {
        letter = next;
        if letter < EDGE {
            word.push(char::from(LETTERS[letter]));
            continue;
        }
        words += 1;
        if (7..=10).contains(&word.len()) && shown.len() < 18 {
            shown.push(word.clone());
        }
        word.clear();
    }
    println!("{words} words invented, among them:");
    for line in shown.chunks(6) {
        println!("  {}", line.join("  "));
    }
}
