//! Small curves, side by side, as SVG.

use std::fmt::Write as _;

/// One curve.
pub(crate) struct Panel {
    pub(crate) title: String,
    /// What goes to the right; on a scale of powers of ten.
    pub(crate) across: String,
    /// Right and up; up begins at 0.
    pub(crate) points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 300.0;
const HEIGHT: f64 = 210.0;
const COLUMNS: usize = 3;
/// Of a panel: where its axes begin and end.
const LEFT: f64 = 46.0;
const RIGHT: f64 = 284.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 168.0;
/// The room that a word under the axis takes.
const WORD: f64 = 23.0;

/// All panels, in rows of three.
pub(crate) fn panels(panels: &[Panel]) -> String {
    let rows = panels.len().div_ceil(COLUMNS);
    let (width, height) = (WIDTH * float(COLUMNS), HEIGHT * float(rows));
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"white\"/>\n"
    );
    for (index, panel) in panels.iter().enumerate() {
        let (row, column) = (index.div_euclid(COLUMNS), index.rem_euclid(COLUMNS));
        // Writing to a text does not fail.
        let _ = writeln!(
            svg,
            "<g transform=\"translate({} {})\">",
            WIDTH * float(column),
            HEIGHT * float(row)
        );
        draw(&mut svg, panel);
        svg.push_str("</g>\n");
    }
    svg.push_str("</svg>\n");
    svg
}

fn draw(svg: &mut String, panel: &Panel) {
    let highest = panel.points.iter().map(|point| point.1).fold(0.0, f64::max);
    let top = round_above(highest);
    let powers = panel.points.iter().map(|point| power(point.0));
    let (first, last) = powers.fold((f64::INFINITY, 0.0), |(low, high): (f64, f64), power| {
        (low.min(power), high.max(power))
    });
    let x = |value: f64| LEFT + (power(value) - first) / (last - first).max(1.0) * (RIGHT - LEFT);
    let y = |value: f64| BOTTOM - value / top * (BOTTOM - TOP);
    let _ = write!(
        svg,
        "<text x=\"{LEFT}\" y=\"18\" font-weight=\"bold\">{}</text>\n\
         <text x=\"{RIGHT}\" y=\"{}\" text-anchor=\"end\">{}</text>\n",
        panel.title,
        BOTTOM + 32.0,
        panel.across
    );
    for step in [0.0, 0.5, 1.0] {
        let (value, at) = (top * step, y(top * step));
        let _ = write!(
            svg,
            "<path d=\"M{LEFT} {at:.1}H{RIGHT}\" stroke=\"#ddd\"/>\n\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{value}</text>\n",
            LEFT - 6.0,
            at + 4.0
        );
    }
    let mut line = String::new();
    let mut free_from = 0.0;
    for (index, (right, up)) in panel.points.iter().enumerate() {
        let letter = if index == 0 { 'M' } else { 'L' };
        let (x, y) = (x(*right), y(*up));
        let _ = write!(line, "{letter}{x:.1} {y:.1}");
        let _ = writeln!(
            svg,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.5\" fill=\"#0b62a4\"/>"
        );
        if x >= free_from {
            free_from = x + WORD;
            let _ = writeln!(
                svg,
                "<text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\" font-size=\"9\">{}</text>",
                BOTTOM + 16.0,
                short(*right)
            );
        }
    }
    let _ = writeln!(
        svg,
        "<path d=\"{line}\" fill=\"none\" stroke=\"#0b62a4\" stroke-width=\"1.5\"/>"
    );
}

/// Nothing is where one is.
fn power(value: f64) -> f64 {
    value.max(1.0).log10()
}

/// 1, 2 or 5 and zeros, not below `value`.
fn round_above(value: f64) -> f64 {
    let unit = 10_f64.powf(value.max(0.1).log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * unit);
    steps
        .into_iter()
        .find(|step| *step >= value)
        .unwrap_or(10.0 * unit)
}

/// Thousands as `k`, millions as `M`.
fn short(value: f64) -> String {
    match value {
        _ if value >= 1e6 => format!("{}M", value / 1e6),
        _ if value >= 1e3 => format!("{}k", value / 1e3),
        _ => value.to_string(),
    }
}

fn float(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_point_lies_within_its_axes() {
        let points = vec![(0.0, 0.3), (10.0, 4.2), (5000.0, 19.9)];
        let panel = Panel {
            title: "t".to_owned(),
            across: "a".to_owned(),
            points,
        };
        let svg = panels(&[panel]);
        let mut seen = 0;
        for circle in svg.lines().filter(|line| line.starts_with("<circle")) {
            let number = |name: &str| -> f64 {
                let (_, rest) = circle.split_once(name).unwrap();
                rest.split('"').nth(1).unwrap().parse().unwrap()
            };
            let (x, y) = (number("cx="), number("cy="));
            assert!(
                (LEFT..=RIGHT).contains(&x) && (TOP..=BOTTOM).contains(&y),
                "{circle}"
            );
            seen += 1;
        }
        assert_eq!(seen, 3);
        assert!(svg.contains(">5k<") && svg.contains(">20<"), "{svg}");
    }

    #[test]
    fn axes_end_at_round_numbers() {
        for (value, above) in [
            (0.3, 0.5),
            (1.0, 1.0),
            (1.1, 2.0),
            (19.9, 20.0),
            (51.0, 100.0),
        ] {
            assert!((round_above(value) - above).abs() < 1e-9, "{value}");
        }
    }
}
