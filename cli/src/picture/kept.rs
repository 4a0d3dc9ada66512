//! What cuts and masks keep of a row, and take away from it.

use gumbel::Cut;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::{Area, Chart, Drawn, GREY, Picture, RED, font, text};
use crate::explain::Rule;

/// What cuts and masks keep of the row.
pub(crate) struct Kept {
    pub(crate) cut: Cut,
    /// The number of categories of the row.
    pub(crate) categories: usize,
    /// The threshold as a logit, divided by the temperature.
    pub(crate) threshold: f64,
    /// What the numbers of the row are.
    pub(crate) value: &'static str,
}

impl Kept {
    pub(super) fn words(&self) -> String {
        let Self { cut, categories, value, .. } = self;
        format!(
            "Probability among the {} of {categories} categories that are kept: from {value} {:.4} on, {:.4} of the sum",
            cut.kept, cut.threshold, cut.share
        )
    }
}

impl Picture {
    /// Draws frames of the probabilities before the cuts, with a letter over what is cut that says by which rule, and
    /// the rules of these letters.
    pub(super) fn cuts(&self, area: &Area<'_>, chart: &mut Chart<'_>, top: f64) -> Drawn {
        let frames = self.places().filter(|(_, c)| c.uncut > 0.0).map(|(x, c)| {
            Rectangle::new([(x - 0.4, 0.0), (x + 0.4, c.uncut.min(top))], GREY.stroke_width(1))
        });
        chart.draw_series(frames).map_err(text)?;
        for (x, category) in self.places() {
            let Some(rule) = category.rule else { continue };
            let (x, y) = chart.backend_coord(&(x, category.uncut.min(top)));
            let style = font(13, Pos::new(HPos::Center, VPos::Bottom)).color(&RED);
            self.write(area, &rule.letter().to_string(), &style, (x, y - 2))?;
        }
        let is_there = |rule: &Rule| self.categories.iter().any(|c| c.rule == Some(*rule));
        let words: Vec<String> = Rule::ALL
            .into_iter()
            .filter(is_there)
            .map(|rule| format!("{} {}", rule.letter(), rule.words()))
            .collect();
        if words.is_empty() {
            return Ok(());
        }
        let end = self.categories.len() as f64 - 0.5;
        let (x, y) = chart.backend_coord(&(end, top));
        let style = font(14, Pos::new(HPos::Right, VPos::Top)).color(&RED);
        let what = format!("cut (grey): {}", words.join(", "));
        self.write(area, &what, &style, (x - 4, y + 2))
    }

    /// Draws the threshold, and the logits that take no part in the race, in grey.
    pub(super) fn threshold(
        &self,
        area: &Area<'_>,
        chart: &mut Chart<'_>,
        (threshold, floor): (f64, f64),
        zero: f64,
    ) -> Drawn {
        let cut = self.places().map(|(x, c)| (x, c.cut_logit - zero));
        let cut = cut.filter(|&(_, logit)| logit > floor && logit < f64::INFINITY);
        chart.draw_series(cut.map(|at| Circle::new(at, 4, GREY))).map_err(text)?;
        if threshold <= floor || threshold == f64::INFINITY {
            return Ok(());
        }
        let end = self.categories.len() as f64 - 0.5;
        let line = PathElement::new([(-0.5, threshold), (end, threshold)], GREY.mix(0.8));
        chart.draw_series([line]).map_err(text)?;
        let (x, y) = chart.backend_coord(&(end, threshold));
        let style = font(14, Pos::new(HPos::Right, VPos::Top)).color(&GREY);
        self.write(area, "threshold: what lies below is cut", &style, (x, y + 3))
    }
}
