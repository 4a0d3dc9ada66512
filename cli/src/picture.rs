//! The picture of a row: probabilities, frequencies, a race.

use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::explain::Rule;

mod kept;

pub(crate) use kept::Kept;

/// The contents of the picture.
pub(crate) struct Picture {
    pub(crate) title: String,
    pub(crate) draws: u32,
    /// ln Σ exp(logit).
    pub(crate) log_z: f64,
    /// What is kept, if anything was to be cut.
    pub(crate) kept: Option<Kept>,
    /// Whether the last category stands for many. It may outweigh all others, so its bar may leave
    /// the picture.
    pub(crate) rest: bool,
    pub(crate) categories: Vec<Category>,
}

/// A category.
pub(crate) struct Category {
    pub(crate) label: String,
    pub(crate) probability: f64,
    /// Its probability without cuts and masks.
    pub(crate) uncut: f64,
    /// What takes it away, if anything does.
    pub(crate) rule: Option<Rule>,
    /// How often it was drawn.
    pub(crate) count: u64,
    /// Its logit, divided by the temperature; −∞ if it is cut.
    pub(crate) logit: f64,
    /// The logit that it had before it was cut, or −∞.
    pub(crate) cut_logit: f64,
    /// Its logit with the noise of one race.
    pub(crate) maximum: f64,
    /// Whether it wins that race.
    pub(crate) wins: bool,
}

/// The size of the picture, in pixels.
const SIZE: (u32, u32) = (1200, 1000);
const TITLE: u32 = 40;
const LABELS: u32 = 46;
const AXIS: u32 = 70;
/// These colours differ for all kinds of colour vision (M. Okabe, K. Ito, "Color universal design",
/// 2008).
const BLUE: RGBColor = RGBColor(0, 114, 178);
const RED: RGBColor = RGBColor(213, 94, 0);
const GREY: RGBColor = RGBColor(150, 150, 150);
/// The lower end of the picture of a race, below log Z: a logit so small is drawn once in 10¹³
/// draws.
const DEPTH: f64 = 30.0;
/// The upper end of the picture of a race, above log Z: noise does not reach that high.
const HEIGHT: f64 = 46.0;
/// Logits as large as this are shown relative to log Z: the numbers on an axis would not show how
/// they differ.
const FAR: f64 = 1e6;
/// The number of letters of a label that are shown.
const LETTERS: usize = 7;

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
type Chart<'a> = ChartContext<'a, SVGBackend<'a>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;
type Drawn = Result<(), String>;

impl Picture {
    /// The picture as the text of an SVG file.
    pub(crate) fn svg(&self) -> Result<String, String> {
        let mut svg = String::new();
        {
            let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
            root.fill(&WHITE).map_err(text)?;
            let root = root.titled(&plain(&self.title), ("sans-serif", 24)).map_err(text)?;
            let (above, race) = root.split_vertically((SIZE.1 - TITLE) * 3 / 5);
            let panels = above.split_evenly((2, 1));
            self.probabilities(&panels[0])?;
            self.frequencies(&panels[1])?;
            self.race(&race)?;
            root.present().map_err(text)?;
        }
        Ok(svg)
    }

    fn probabilities(&self, area: &Area<'_>) -> Drawn {
        let what = match &self.kept {
            None => "Probability: the exponential of a logit, over the sum of all".to_owned(),
            Some(kept) => kept.words(),
        };
        let top = self.top(|c| c.probability.max(c.uncut));
        let mut chart = self.chart(area, &what, "probability", 0.0..top)?;
        self.bars(area, &mut chart, top, BLUE.mix(1.0))?;
        if self.kept.is_some() {
            self.cuts(area, &mut chart, top)?;
        }
        self.name(area, &chart)
    }

    fn frequencies(&self, area: &Area<'_>) -> Drawn {
        let what = format!(
            "Frequency among {} draws, with one standard error; the grey bars are the probabilities",
            self.draws
        );
        let top = self.top(|c| c.probability.max(interval(c.count, self.draws).1));
        let mut chart = self.chart(area, &what, "frequency", 0.0..top)?;
        self.bars(area, &mut chart, top, GREY.mix(0.35))?;
        let drawn = || self.places().filter(|(_, c)| c.probability > 0.0);
        let errors = drawn().map(|(x, c)| {
            let (low, high) = interval(c.count, self.draws);
            PathElement::new([(x, low.min(top)), (x, high.min(top))], BLACK)
        });
        chart.draw_series(errors).map_err(text)?;
        let shares = drawn().map(|(x, c)| (x, c.count as f64 / f64::from(self.draws)));
        let points = shares.filter(|&(_, share)| share <= top);
        chart.draw_series(points.map(|at| Circle::new(at, 3, BLACK.filled()))).map_err(text)?;
        self.name(area, &chart)
    }

    /// Returns the upper end of an axis.
    fn top(&self, value: impl Fn(&Category) -> f64) -> f64 {
        let own = self.categories.len() - usize::from(self.rest);
        self.categories[..own].iter().map(value).fold(0.0, f64::max) * 1.08
    }

    /// Draws bars of the probabilities, up to the end of the axis. The value of a longer bar is
    /// written at its end.
    fn bars(&self, area: &Area<'_>, chart: &mut Chart<'_>, top: f64, colour: RGBAColor) -> Drawn {
        let bars = self.places().map(|(x, c)| {
            Rectangle::new([(x - 0.4, 0.0), (x + 0.4, c.probability.min(top))], colour.filled())
        });
        chart.draw_series(bars).map_err(text)?;
        for (x, category) in self.places().filter(|(_, c)| c.probability > top) {
            let (x, y) = chart.backend_coord(&(x + 0.4, top));
            let style = font(14, Pos::new(HPos::Right, VPos::Bottom));
            let what = format!("{:.3}", category.probability);
            self.write(area, &what, &style, (x, y - 2))?;
        }
        Ok(())
    }

    fn race(&self, area: &Area<'_>) -> Drawn {
        let Some((place, winner)) = self.places().find(|(_, c)| c.wins) else { return Ok(()) };
        // the height that counts as 0
        let (zero, y) = if self.log_z.abs() < FAR {
            (0.0, "logit + noise")
        } else {
            (self.log_z, "logit + noise - log Z")
        };
        let (floor, ceiling) = (self.log_z - zero - DEPTH, self.log_z - zero + HEIGHT);
        let logit = |c: &Category| (c.logit - zero).min(ceiling);
        let maximum = |c: &Category| (c.maximum - zero).min(ceiling);
        let heights = || {
            let both = self.categories.iter().flat_map(|c| [logit(c), maximum(c)]);
            let cuts = self.kept.iter().flat_map(|kept| {
                let logits = self.categories.iter().map(|c| c.cut_logit).chain([kept.threshold]);
                logits.map(|logit| (logit - zero).min(ceiling))
            });
            both.chain(cuts).filter(|&height| height > floor)
        };
        let low = heights().fold(f64::INFINITY, f64::min);
        let high = heights().fold(f64::NEG_INFINITY, f64::max);
        let margin = (high - low).max(1.0) * 0.08;
        let range = low - margin..high + 2.0 * margin;
        let what = format!(
            "Race of draw 0: each logit (circle) and what Gumbel noise makes of it (dot); the highest wins, \
             \"{}\"",
            short(&winner.label)
        );
        let mut chart = self.chart(area, &what, y, range)?;
        let end = self.categories.len() as f64 - 0.5;
        let line =
            PathElement::new([(-0.5, maximum(winner)), (end, maximum(winner))], RED.mix(0.5));
        chart.draw_series([line]).map_err(text)?;
        let seen = || self.places().filter(|(_, c)| maximum(c).max(logit(c)) > floor);
        let colour = |x: f64| if x == place { RED } else { BLUE };
        let lines = seen().map(|(x, c)| {
            let ends = [(x, logit(c).max(low - margin)), (x, maximum(c).max(low - margin))];
            PathElement::new(ends, colour(x).mix(0.6).stroke_width(2))
        });
        chart.draw_series(lines).map_err(text)?;
        let circles = seen().filter(|(_, c)| logit(c) > floor);
        let circles = circles.map(|(x, c)| Circle::new((x, logit(c)), 4, colour(x)));
        chart.draw_series(circles).map_err(text)?;
        let dots = seen().filter(|(_, c)| maximum(c) > floor);
        let dots = dots.map(|(x, c)| Circle::new((x, maximum(c)), 4, colour(x).filled()));
        chart.draw_series(dots).map_err(text)?;
        if let Some(kept) = &self.kept {
            self.threshold(area, &mut chart, (kept.threshold - zero, floor), zero)?;
        }
        let (x, y) = chart.backend_coord(&(end, maximum(winner)));
        let note = if zero == 0.0 {
            let [most, time] = [winner.maximum, (-winner.maximum).exp()];
            format!("maximum {most:.2}, the first alarm at e^{:.2} = {time:.2e}", -most)
        } else {
            format!("log Z is {zero:.6e}")
        };
        let style = font(15, Pos::new(HPos::Right, VPos::Bottom)).color(&RED);
        self.write(area, &note, &style, (x, y - 5))?;
        self.name(area, &chart)
    }

    /// Returns the categories and their x-coordinates.
    fn places(&self) -> impl Iterator<Item = (f64, &Category)> {
        self.categories.iter().enumerate().map(|(i, category)| (i as f64, category))
    }

    /// Returns a chart: axes with a caption above.
    fn chart<'a>(
        &self,
        area: &Area<'a>,
        caption: &str,
        y: &str,
        range: std::ops::Range<f64>,
    ) -> Result<Chart<'a>, String> {
        let mut chart = ChartBuilder::on(area)
            .caption(plain(caption), ("sans-serif", 18))
            .margin_left(8)
            .margin_right(20)
            .x_label_area_size(LABELS)
            .y_label_area_size(AXIS)
            .build_cartesian_2d(-0.5..self.categories.len() as f64 - 0.5, range)
            .map_err(text)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(GREY.mix(0.3))
            .x_labels(0)
            .y_labels(6)
            .y_desc(y)
            .label_style(("sans-serif", 14))
            .axis_desc_style(("sans-serif", 15))
            .draw()
            .map_err(text)?;
        Ok(chart)
    }

    /// Writes the names of the categories below their bars, upright if they would not fit
    /// otherwise, and the name of the axis.
    fn name(&self, area: &Area<'_>, chart: &Chart<'_>) -> Drawn {
        let labels: Vec<String> = self.categories.iter().map(|c| short(&c.label)).collect();
        let bottom = chart.as_coord_spec().get_y_range().start;
        let at = |x: f64| chart.backend_coord(&(x, bottom));
        let slot = at(1.0).0 - at(0.0).0;
        let longest = labels.iter().map(|label| label.chars().count()).max().unwrap_or(0);
        let upright = longest as i32 * 8 > slot;
        let size = (slot - 1).clamp(8, 14);
        let position = if upright { (HPos::Left, VPos::Center) } else { (HPos::Center, VPos::Top) };
        let mut style = font(size, Pos::new(position.0, position.1));
        if upright {
            style = style.transform(FontTransform::Rotate90);
        }
        for (i, label) in labels.iter().enumerate() {
            let (x, y) = at(i as f64);
            self.write(area, label, &style, (x, y + 6))?;
        }
        if !upright {
            let (x, y) = at(self.categories.len() as f64 / 2.0 - 0.5);
            let style = font(15, Pos::new(HPos::Center, VPos::Top));
            self.write(area, "category", &style, (x, y + 24))?;
        }
        Ok(())
    }

    /// Writes text at a position that is counted from the corner of the whole picture.
    fn write(&self, area: &Area<'_>, what: &str, style: &TextStyle<'_>, at: (i32, i32)) -> Drawn {
        let (x, y) = area.get_base_pixel();
        area.draw_text(&plain(what), style, (at.0 - x, at.1 - y)).map_err(text)
    }
}

fn font(size: i32, position: Pos) -> TextStyle<'static> {
    TextStyle::from(("sans-serif", size).into_font()).pos(position)
}

/// Returns a label, shortened if it is too long.
fn short(label: &str) -> String {
    if label.chars().count() <= LETTERS {
        return label.to_owned();
    }
    label.chars().take(LETTERS - 1).chain(['…']).collect()
}

/// Returns the text without the characters that XML cannot hold.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// Returns the interval of the probabilities from which `count` of `draws` draws are at most one
/// standard error away (E. B. Wilson, "Probable inference, the law of succession, and statistical
/// inference", 1927). Unlike ±√(f(1 − f)/n) the interval has a width even where nothing, or
/// everything, was drawn.
fn interval(count: u64, draws: u32) -> (f64, f64) {
    let n = f64::from(draws);
    let share = count as f64 / n;
    let middle = (share + 0.5 / n) / (1.0 + 1.0 / n);
    let half = (share * (1.0 - share) / n + 0.25 / (n * n)).sqrt() / (1.0 + 1.0 / n);
    // the interval contains the share, whatever was rounded
    ((middle - half).clamp(0.0, share), (middle + half).clamp(share, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The ends of an interval are the probabilities from which the share is exactly one standard
    /// deviation away.
    #[test]
    fn intervals_are_of_one_standard_error() {
        for (count, draws) in [(0, 10), (3, 10), (10, 10), (1, 1), (500, 1000)] {
            let (low, high) = interval(count, draws);
            let share = count as f64 / f64::from(draws);
            // an end at 0 or 1 has no standard deviation to compare with
            for end in [low, high].into_iter().filter(|&end| end > 1e-9 && end < 1.0 - 1e-9) {
                let deviation = (end * (1.0 - end) / f64::from(draws)).sqrt();
                assert!(((share - end).abs() / deviation - 1.0).abs() < 1e-9, "{count} {draws}");
            }
            assert!(low <= share && share <= high && high - low > 0.0);
        }
    }

    #[test]
    fn names_are_short_and_plain() {
        assert_eq!(short("seven77"), "seven77");
        assert_eq!(short("abcdefgh"), "abcdef…");
        assert_eq!(plain("a\u{0}b<\n"), "a\u{fffd}b<\u{fffd}");
    }
}
