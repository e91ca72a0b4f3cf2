//! Notebooks and hanging ornaments.

use std::f32::consts::{PI, TAU};

use super::Shape;
use crate::pictures::canvas::{Finish, Paint, Part};
use crate::pictures::path::{Line, Path};

const PAPER: Paint = Paint::Fixed([0.97, 0.95, 0.9]);
const STEEL: Paint = Paint::Fixed([0.6, 0.62, 0.65]);
const STRING: Paint = Paint::Fixed([0.72, 0.6, 0.44]);

pub(crate) fn notebook(shape: &Shape) -> Vec<Part> {
    let (half_w, half_h) = (shape.measure(0, 0.25, 0.31), shape.measure(1, 0.34, 0.4));
    let (x0, y0, x1, y1) = (0.5 - half_w, 0.5 - half_h, 0.5 + half_w, 0.5 + half_h);
    let corner = shape.measure(2, 0.008, 0.04);
    let mut parts = vec![
        Part::new(Path::rounded(x0 + 0.01, y0 + 0.012, x1 + 0.014, y1 + 0.014, corner), PAPER, Finish::Flat).brightness(0.9),
        Part::new(Path::rounded(x0, y0, x1, y1, corner), Paint::Print, Finish::Gloss),
    ];
    let cover = Path::rounded(x0, y0, x1, y1, corner);
    match shape.style {
        // Spiral bound, cloth spine, or closed by an elastic band.
        0 => {
            for i in 0..14 {
                let y = y0 + 0.03 + (y1 - y0 - 0.06) * i as f32 / 13.0;
                parts.push(Part::shadow(Path::circle(x0 + 0.03, y, 0.008), 0.5));
                parts.push(Part::new(Path::arc(x0 + 0.005, y, 0.026, 0.012, 0.008, PI * 0.1, PI * 1.9), STEEL, Finish::Gloss));
            }
        }
        1 => {
            parts.push(Part::new(Path::rect(x0, y0, x0 + 0.08, y1), Paint::Accent, Finish::Cloth).within(cover.clone()));
            parts.push(Part::shadow(Path::rect(x0 + 0.08, y0, x0 + 0.086, y1), 0.2).within(cover.clone()));
        }
        _ => {
            parts.push(Part::shadow(Path::rect(x0, y0, x0 + 0.035, y1), 0.12).within(cover.clone()));
            parts.push(Part::new(Path::rect(x1 - 0.07, y0, x1 - 0.048, y1), Paint::Detail, Finish::Cloth).within(cover.clone()));
        }
    }
    if shape.extras[0] {
        let (w, y) = (half_w * shape.measure(3, 0.45, 0.62), y0 + (y1 - y0) * shape.measure(4, 0.2, 0.4));
        parts.push(Part::new(Path::rounded(0.5 - w, y, 0.5 + w, y + 0.15, 0.012), PAPER, Finish::Flat));
        parts.push(Part::new(Path::rounded(0.5 - w * 0.7, y + 0.045, 0.5 + w * 0.7, y + 0.062, 0.008), Paint::Detail, Finish::Flat));
        parts.push(
            Part::new(Path::rounded(0.5 - w * 0.5, y + 0.085, 0.5 + w * 0.5, y + 0.098, 0.006), Paint::Detail, Finish::Flat).opacity(0.6),
        );
    }
    if shape.extras[1] {
        let marker = Line::from(0.5 + half_w * 0.4, y1 - 0.01)
            .to(0.5 + half_w * 0.4 + 0.03, y1 - 0.01)
            .to(0.5 + half_w * 0.4 + 0.03, y1 + 0.07)
            .to(0.5 + half_w * 0.4 + 0.015, y1 + 0.05)
            .to(0.5 + half_w * 0.4, y1 + 0.07)
            .close();
        parts.insert(0, Part::new(marker, Paint::Detail, Finish::Cloth));
    }
    parts
}

pub(crate) fn ornament(shape: &Shape) -> Vec<Part> {
    let (cx, cy) = (0.5, 0.56);
    let r = shape.measure(0, 0.27, 0.33);
    let outline = |k: f32| match shape.style {
        0 => {
            let r = r * k;
            let (tip, dip) = (cy + r * shape.measure(1, 0.95, 1.1), cy - r * 0.45);
            Line::from(cx, dip)
                .curve((cx - r * 0.25, cy - r * 1.0), (cx - r * 1.1, cy - r * 1.0), (cx - r * 1.05, cy - r * 0.25))
                .curve((cx - r * 1.0, cy + r * 0.3), (cx - r * 0.3, cy + r * 0.62), (cx, tip))
                .mirrored()
        }
        1 => Path::circle(cx, cy, r * 0.98 * k),
        _ => {
            let inner = shape.measure(1, 0.5, 0.62);
            let corner = |i: usize| {
                let a = TAU * i as f32 / 10.0;
                let reach = r * k * if i.is_multiple_of(2) { 1.12 } else { inner };
                (cx + a.sin() * reach, cy - a.cos() * reach)
            };
            let start = corner(0);
            (1..10).map(corner).fold(Line::from(start.0, start.1), |line, (x, y)| line.to(x, y)).close()
        }
    };
    let hang = match shape.style {
        0 => cy - r * 0.5,
        1 => cy - r * 0.98,
        _ => cy - r * 1.0,
    };
    let mut parts = vec![Part::new(
        Line::from(cx, hang + 0.02)
            .curve((cx - 0.05, hang - 0.12), (cx - 0.02, 0.1), (cx, 0.06))
            .curve((cx + 0.02, 0.1), (cx + 0.05, hang - 0.12), (cx, hang + 0.02))
            .stroke(0.009),
        STRING,
        Finish::Gloss,
    )];
    if shape.style == 1 {
        parts.push(Part::new(
            Path::rounded(cx - 0.04, hang - 0.03, cx + 0.04, hang + 0.02, 0.012),
            Paint::Fixed([0.8, 0.67, 0.36]),
            Finish::Gloss,
        ));
        parts.push(Part::new(outline(1.0), Paint::Print, Finish::Round { cx, radius: r, sheen: 0.3 }));
        parts.push(Part::light(
            Path::ellipse(cx - r * 0.42, cy - r * 0.45, r * 0.2, r * 0.12).turned(cx - r * 0.42, cy - r * 0.45, -0.7),
            0.5,
        ));
    } else {
        parts.push(Part::new(outline(1.0), Paint::Print, if shape.extras[0] { Finish::Puffy } else { Finish::Gloss }));
    }
    if shape.extras[1] {
        parts.push(Part::new(outline(0.86).without(outline(0.82)), Paint::Accent, Finish::Flat));
    }
    if shape.style != 1 {
        for side in [-1.0, 1.0_f32] {
            let bow = Line::from(cx, hang + 0.03)
                .curve((cx + side * 0.03, hang - 0.05), (cx + side * 0.12, hang - 0.03), (cx + side * 0.09, hang + 0.025))
                .bend((cx + side * 0.05, hang + 0.05), (cx, hang + 0.03))
                .close();
            parts.push(Part::new(bow, Paint::Detail, Finish::Puffy));
        }
        parts.push(Part::new(Path::circle(cx, hang + 0.028, 0.018), Paint::Detail, Finish::Puffy).brightness(0.9));
    }
    parts
}
