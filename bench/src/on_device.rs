//! Draws, argmax and copy of logits that are on the device.

use std::borrow::Cow;
use std::time::Duration;

use gumbel::wgpu;

use crate::clock::{Run, Span, Spans, in_turn};
use crate::device::Device;
use crate::error::Error;
use crate::fill::Filler;
use crate::logits::{Format, Known};
use crate::placement::Placement;
use crate::restricted::{Drawing, RESTRICTED};
use crate::results::{ARGMAX, COPY, Line, SAMPLE};
use crate::shape::Shape;
use crate::work::{Pool, Work};

/// An operation that is timed, and the type of its logits.
type Timed = (&'static str, Format);

/// The operations that are timed in each shape.
const PLAIN: [Timed; 5] = [
    (SAMPLE, Format::F32),
    (ARGMAX, Format::F32),
    (COPY, Format::F32),
    (SAMPLE, Format::F16),
    (SAMPLE, Format::BF16),
];
/// The least time, in ns, between two timestamps: a shorter operation runs several times between
/// them, at most `MOST_TIMES`.
const LEAST_NS: f64 = 500_000.0;
const MOST_TIMES: f64 = 256.0;
/// The number of words of a copy that are checked.
const COPIED: u64 = 1 << 16;

/// The settings of the timing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct How {
    pub(crate) each: Duration,
    /// The bytes after which a cache has forgotten the first.
    pub(crate) cold: u64,
    /// Whether restricted draws are timed.
    pub(crate) restricted: bool,
}

impl How {
    /// The operations that are timed.
    fn timed(self) -> Vec<Timed> {
        match self.restricted {
            true => RESTRICTED.map(|what| (what, Format::F32)).to_vec(),
            false => PLAIN.to_vec(),
        }
    }
}

/// An operation to be timed, ready to run.
struct Thing {
    work: Work,
    /// How often it runs between two timestamps.
    times: u32,
    note: String,
}

/// Returns a line for each operation, with its time or the reason why it has none.
pub(crate) fn measure(
    device: &Device<'_>,
    filler: &Filler,
    shape: Shape,
    known: &Known,
    how: How,
) -> Vec<Line> {
    let timed = how.timed();
    let all = match Pools::new(device, filler, shape, &timed, how.cold) {
        // memory is too short for many regions, so one region has to do, whose reads are hardly
        // cold
        Err(Error::LeftOut(_)) if how.cold > 0 => Pools::new(device, filler, shape, &timed, 0),
        pools => pools,
    };
    let all = match all {
        Ok(all) => all,
        Err(error) => return missing(shape, error, how),
    };
    let mut notes = Vec::new();
    let runs = timed.iter().map(|&(what, format)| {
        let ready = all.ready(device, what, format, known);
        notes.push(ready.as_ref().map(|ready| ready.note.clone()).unwrap_or_default());
        ready.map(|ready| ready.run(device))
    });
    let spans = in_turn(runs.collect(), how.each);
    let lines = timed.into_iter().zip(spans).zip(notes);
    lines.map(|(((what, format), spans), note)| line(shape, what, format, &spans, &note)).collect()
}

impl Thing {
    fn run<'a>(self, device: &'a Device<'_>) -> Run<'a> {
        let Self { work, times, .. } = self;
        let (mut next, mut next_single) = (0, 0);
        Box::new(move || {
            let span = device.time(&work, times, &mut next)?;
            if times == 1 {
                return Ok(span);
            }
            // the wall clock includes submission and wait, so it takes a run by itself
            let single = device.time(&work, 1, &mut next_single)?;
            Ok(Span { device: span.device, wall: single.wall })
        })
    }
}

/// Returns lines that all say why there is no time.
pub(crate) fn missing(shape: Shape, why: Error, how: How) -> Vec<Line> {
    let why = Err(why);
    how.timed().into_iter().map(|(what, format)| line(shape, what, format, &why, "")).collect()
}

fn line(
    shape: Shape,
    what: &'static str,
    format: Format,
    spans: &Result<Spans, Error>,
    note: &str,
) -> Line {
    Line::new(shape, if what == COPY { "" } else { format.name }, what, spans, note)
}

/// The logits of a shape in the formats of some operations.
struct Pools {
    shape: Shape,
    pools: Vec<Pool>,
    /// Memory for a copy, if one of the operations is one.
    copies: Option<Pool>,
    draws: wgpu::Buffer,
}

impl Pools {
    fn new(
        device: &Device<'_>,
        filler: &Filler,
        shape: Shape,
        timed: &[Timed],
        cold: u64,
    ) -> Result<Self, Error> {
        let placement = |format: Format| Placement::new(shape, format.bytes(), device.most(), cold);
        let filled = |format| Pool::filled(device, filler, shape, format, placement(format)?);
        let formats = [Format::F32, Format::F16, Format::BF16];
        let needed = formats.into_iter().filter(|needed| timed.iter().any(|(_, it)| it == needed));
        let pools = needed.map(filled).collect::<Result<Vec<_>, _>>()?;
        let copies = match timed.iter().any(|&(what, _)| what == COPY) {
            true => Some(Pool::empty(device, shape, Format::F32, placement(Format::F32)?)?),
            false => None,
        };
        use wgpu::BufferUsages as Usage;
        let usage = Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST;
        let bytes = pools.iter().map(|pool| pool.placement.draws_bytes).max().unwrap_or(4);
        let draws = device.buffer(bytes, usage)?;
        Ok(Self { shape, pools, copies, draws })
    }

    fn pool(&self, format: Format) -> Result<&Pool, Error> {
        let pool = self.pools.iter().find(|pool| pool.format == format);
        pool.ok_or_else(|| Error::LeftOut(format!("there are no logits of {}", format.name)))
    }

    /// Checks and warms up an operation.
    fn ready(
        &self,
        device: &Device<'_>,
        what: &str,
        format: Format,
        known: &Known,
    ) -> Result<Thing, Error> {
        let pool = self.pool(format)?;
        let work = match (what, &self.copies) {
            (COPY, Some(copies)) => Work::copy(pool, copies),
            _ => Work::draw(device, pool, &self.draws, Drawing::of(what))?,
        };
        let last = pool.placement.regions - 1;
        self.check(device, what, &work, pool, (0, known))?;
        if last > 0 {
            let known = known.of_region(self.shape, last)?;
            self.check(device, what, &work, pool, (last, &known))?;
        }

        let mut notes = Vec::new();
        let mut times = 1;
        if device.can_time(&work) {
            let once = device.time(&work, 1, &mut 0)?;
            let once = once.device.unwrap_or(once.wall).max(1.0);
            times = (LEAST_NS / once).ceil().clamp(1.0, MOST_TIMES) as u32;
            if times > 1 {
                notes.push(format!("{times} between two timestamps, wall clock for one"));
            }
        } else {
            notes.push("no timestamps here, wall clock only".to_owned());
        }
        if pool.placement.regions > 1 {
            notes.push(format!("cold: {} regions in turn", pool.placement.regions));
        }
        if pool.placement.pieces.len() > 1 {
            notes.push(format!("{} batches of fewer rows", pool.placement.pieces.len()));
        }
        if what == COPY {
            notes.push("the bytes read; as many are written".to_owned());
        }
        Ok(Thing { work, times, note: notes.join("; ") })
    }

    /// Checks that a region's draws are the CPU engine's, or that its copy has the logits.
    fn check(
        &self,
        device: &Device<'_>,
        what: &str,
        work: &Work,
        pool: &Pool,
        (region, known): (u32, &Known),
    ) -> Result<(), Error> {
        // clears results of an earlier run, which may have been right
        device.submit(|encoder| {
            encoder.clear_buffer(&self.draws, 0, None);
            work.encode(encoder, None, 1, &mut (region as usize))
        })?;
        if let (COPY, Some(copies)) = (what, &self.copies) {
            let (first, words) = copies.words(device, region, COPIED)?;
            let logits = &known.logits[first as usize..];
            let same = words.iter().zip(logits).all(|(word, logit)| *word == logit.to_bits());
            let wrong = || Error::Wrong("the copy is not of the logits".to_owned());
            return if same { Ok(()) } else { Err(wrong()) };
        }
        let expected = match what {
            ARGMAX => Cow::Borrowed(&known.argmax),
            SAMPLE => Cow::Borrowed(&known.sample),
            _ => Cow::Owned(Drawing::of(what).expected(self.shape, known)?),
        };
        let words = device.read(&self.draws, 0, pool.placement.draws_bytes)?;
        let mut differ = 0;
        for piece in &pool.placement.pieces {
            let draws = &words[piece.draws_at as usize / 4..][..piece.rows as usize];
            let expected = &expected[piece.first_row as usize..];
            differ +=
                draws.iter().zip(expected).filter(|(draw, expected)| draw != expected).count();
        }
        differing(differ, expected.len())
    }
}

/// Returns an error if draws differ from the CPU engine's.
pub(crate) fn differing(differ: usize, of: usize) -> Result<(), Error> {
    if differ == 0 {
        return Ok(());
    }
    Err(Error::Wrong(format!("{differ} of {of} draws are not the CPU engine's")))
}
