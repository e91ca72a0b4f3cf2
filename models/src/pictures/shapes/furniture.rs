//! Lamps, clocks, chairs and cushions.

use std::f32::consts::{PI, TAU};

use super::Shape;
use crate::pictures::canvas::{Finish, Paint, Part};
use crate::pictures::path::{Line, Path};

const OAK: Paint = Paint::Fixed([0.76, 0.57, 0.37]);
const WALNUT: Paint = Paint::Fixed([0.45, 0.3, 0.2]);
const BRASS: Paint = Paint::Fixed([0.8, 0.64, 0.34]);
const DARK: Paint = Paint::Fixed([0.17, 0.17, 0.19]);
const PAPER: Paint = Paint::Fixed([0.97, 0.96, 0.92]);

pub(crate) fn lamp(shape: &Shape) -> Vec<Part> {
    let cx = 0.5;
    let (top_half, foot_half) = (shape.measure(0, 0.11, 0.19), shape.measure(1, 0.21, 0.29));
    let (top, brim) = (0.12, shape.measure(2, 0.38, 0.48));
    let foot = 0.9;
    let metal = if shape.extras[0] { BRASS } else { DARK };
    let mut parts = vec![];
    match shape.style {
        // A turned or glazed body, a slim column, or three wooden legs.
        0 => {
            let w = shape.measure(3, 0.09, 0.15);
            let body = Line::from(cx, brim - 0.02)
                .to(cx - 0.025, brim - 0.02)
                .curve((cx - 0.03, brim + 0.1), (cx - w * 1.3, brim + 0.14), (cx - w, brim + 0.28))
                .curve((cx - w * 0.85, foot - 0.06), (cx - w * 0.7, foot - 0.03), (cx - w * 0.6, foot))
                .to(cx, foot)
                .mirrored();
            parts.push(Part::new(body, Paint::Accent, Finish::Round { cx, radius: w * 1.1, sheen: 0.9 }));
        }
        1 => {
            parts.push(Part::new(
                Path::rect(cx - 0.012, brim - 0.02, cx + 0.012, foot - 0.02),
                metal,
                Finish::Round { cx, radius: 0.013, sheen: 0.8 },
            ));
            let w = shape.measure(3, 0.11, 0.16);
            parts.push(Part::new(Path::ellipse(cx, foot - 0.015, w, 0.032), metal, Finish::Gloss));
        }
        _ => {
            let spread = shape.measure(3, 0.12, 0.2);
            for side in [-1.0, 0.15, 1.0_f32] {
                let leg = Line::from(cx + side * 0.015, brim - 0.02).to(cx + side * spread, foot).stroke(0.024);
                parts.push(Part::new(leg, OAK, Finish::Wood).brightness(if side.abs() < 0.5 { 0.8 } else { 1.0 }));
            }
        }
    }
    let shade = Line::from(cx, top)
        .to(cx - top_half, top)
        .to(cx - foot_half, brim)
        .bend((cx - foot_half * 0.5, brim + 0.028), (cx, brim + 0.028))
        .mirrored();
    parts.push(Part::new(shade.clone(), Paint::Print, Finish::Glow { x: cx, y: (top + brim) / 2.0 + 0.06 }));
    if shape.extras[1] {
        for y in [top, brim - 0.012] {
            parts.push(Part::new(Path::rect(0.0, y, 1.0, y + 0.018), Paint::Accent, Finish::Flat).within(shade.clone()));
        }
        parts.push(Part::new(Path::rect(0.0, brim, 1.0, brim + 0.04), Paint::Accent, Finish::Flat).within(shade));
    }
    parts
}

pub(crate) fn clock(shape: &Shape) -> Vec<Part> {
    let (cx, cy) = (0.5, if shape.style == 2 { 0.55 } else { 0.5 });
    let radius = if shape.style == 2 { shape.measure(0, 0.27, 0.31) } else { shape.measure(0, 0.32, 0.39) };
    let rim = radius * shape.measure(1, 0.1, 0.3);
    let outline = |grow: f32| match shape.style {
        1 => {
            let r = radius + grow;
            Path::rounded(cx - r, cy - r, cx + r, cy + r, r * 0.4)
        }
        _ => Path::circle(cx, cy, radius + grow),
    };
    let mut parts = vec![];
    if shape.style == 2 {
        for side in [-1.0, 1.0_f32] {
            parts.push(Part::new(
                Line::from(cx, cy).to(cx + side * radius * 0.75, cy + radius * 1.18).stroke(0.035),
                Paint::Accent,
                Finish::Gloss,
            ));
            let bell = (cx + side * radius * 0.58, cy - radius * 0.98);
            let dome = Path::arc(bell.0, bell.1, 0.052, 0.052, 0.055, PI, TAU).turned(bell.0, bell.1, side * 0.55);
            parts.push(Part::new(dome, Paint::Accent, Finish::Gloss));
        }
        parts.push(Part::new(Path::arc(cx, cy - radius * 1.05, 0.06, 0.07, 0.018, PI, TAU), DARK, Finish::Gloss));
    }
    parts.push(Part::new(outline(0.0), Paint::Print, Finish::Gloss));
    let face = match shape.style {
        1 => Path::rounded(cx - radius + rim, cy - radius + rim, cx + radius - rim, cy + radius - rim, radius * 0.32),
        _ => Path::circle(cx, cy, radius - rim),
    };
    parts.push(Part::shadow(face.clone().moved(-0.004, -0.006), 0.35));
    // A printed face under a pale veil, or a plain one.
    if shape.extras[0] {
        parts.push(Part::new(face.clone(), Paint::Print, Finish::Flat));
        parts.push(Part::new(face.clone(), PAPER, Finish::Flat).opacity(0.62));
    } else {
        parts.push(Part::new(face.clone(), PAPER, Finish::Flat));
    }
    let dial = radius - rim;
    for hour in 0..12 {
        let a = TAU * hour as f32 / 12.0;
        let at = |r: f32| (cx + a.sin() * r * dial, cy - a.cos() * r * dial);
        let long = hour % 3 == 0;
        let (outer, inner) = (at(0.9), at(if long { 0.74 } else { 0.82 }));
        let mark = if shape.extras[1] {
            Path::circle(outer.0, outer.1, if long { 0.015 } else { 0.009 })
        } else {
            Line::from(outer.0, outer.1).to(inner.0, inner.1).stroke(if long { 0.014 } else { 0.008 })
        };
        parts.push(Part::new(mark, DARK, Finish::Flat));
    }
    let minutes = (shape.proportions[4] * 60.0).floor();
    let hours = (shape.proportions[3] * 12.0).floor() + minutes / 60.0;
    for (turn, length, width) in [(hours / 12.0, 0.5, 0.022), (minutes / 60.0, 0.76, 0.015)] {
        let a = TAU * turn;
        let at = |r: f32| (cx + a.sin() * r * dial, cy - a.cos() * r * dial);
        let (tail, tip) = (at(-0.12), at(length));
        parts.push(Part::shadow(Line::from(tail.0 + 0.005, tail.1 + 0.008).to(tip.0 + 0.005, tip.1 + 0.008).stroke(width), 0.18));
        parts.push(Part::new(Line::from(tail.0, tail.1).to(tip.0, tip.1).stroke(width), DARK, Finish::Flat));
    }
    parts.push(Part::new(Path::circle(cx, cy, 0.02), Paint::Detail, Finish::Gloss));
    parts.push(Part::light(Path::arc(cx, cy, dial * 0.86, dial * 0.86, dial * 0.12, PI * 1.08, PI * 1.42), 0.35));
    parts
}

pub(crate) fn chair(shape: &Shape) -> Vec<Part> {
    match shape.style {
        0 => dining_chair(shape),
        1 => armchair(shape),
        _ => stool(shape),
    }
}

fn wood(shape: &Shape) -> Paint {
    if shape.extras[0] { OAK } else { WALNUT }
}

fn leg(from: (f32, f32), to: (f32, f32), width: f32, wood: Paint) -> Part {
    Part::new(Line::from(from.0, from.1).to(to.0, to.1).stroke(width), wood, Finish::Wood)
}

fn dining_chair(shape: &Shape) -> Vec<Part> {
    let wood = wood(shape);
    let half = shape.measure(0, 0.17, 0.22);
    let (top, seat) = (shape.measure(1, 0.1, 0.2), 0.56);
    let mut parts = vec![
        leg((0.5 - half * 0.8, seat), (0.5 - half * 0.86, 0.84), 0.026, wood).brightness(0.72),
        leg((0.5 + half * 0.8, seat), (0.5 + half * 0.86, 0.84), 0.026, wood).brightness(0.72),
        leg((0.5 - half, top), (0.5 - half, seat), 0.03, wood),
        leg((0.5 + half, top), (0.5 + half, seat), 0.03, wood),
    ];
    if shape.extras[1] {
        let back = Path::rounded(0.5 - half, top, 0.5 + half, seat - 0.09, 0.05);
        parts.push(Part::new(back, Paint::Print, Finish::Puffy));
    } else {
        for i in 0..3 {
            let y = top + 0.02 + i as f32 * 0.11;
            let slat = Line::from(0.5 - half, y)
                .bend((0.5, y - 0.025), (0.5 + half, y))
                .to(0.5 + half, y + 0.05)
                .bend((0.5, y + 0.03), (0.5 - half, y + 0.05))
                .close();
            parts.push(Part::new(slat, wood, Finish::Wood));
        }
    }
    let wide = half + shape.measure(2, 0.02, 0.05);
    let pad = Line::from(0.5 - half, seat - 0.02)
        .to(0.5 + half, seat - 0.02)
        .bend((0.5 + wide, seat + 0.03), (0.5 + wide, seat + 0.07))
        .bend((0.5, seat + 0.1), (0.5 - wide, seat + 0.07))
        .bend((0.5 - wide, seat + 0.03), (0.5 - half, seat - 0.02))
        .close();
    parts.push(leg((0.5 - wide + 0.02, seat + 0.07), (0.5 - wide, 0.93), 0.032, wood));
    parts.push(leg((0.5 + wide - 0.02, seat + 0.07), (0.5 + wide, 0.93), 0.032, wood));
    parts.push(Part::new(Path::rounded(0.5 - wide, seat + 0.06, 0.5 + wide, seat + 0.1, 0.012), wood, Finish::Wood).brightness(0.9));
    parts.push(Part::new(pad, Paint::Print, Finish::Puffy));
    parts
}

fn armchair(shape: &Shape) -> Vec<Part> {
    let wood = wood(shape);
    let half = shape.measure(0, 0.22, 0.27);
    let top = shape.measure(1, 0.14, 0.26);
    let seat = 0.6;
    let mut parts = vec![
        leg((0.5 - half, 0.8), (0.5 - half - 0.03, 0.92), 0.034, wood),
        leg((0.5 + half, 0.8), (0.5 + half + 0.03, 0.92), 0.034, wood),
    ];
    let crown = shape.measure(3, 0.04, 0.14);
    let back = Line::from(0.5, top)
        .curve((0.5 - half * 0.7, top), (0.5 - half, top + crown * 0.4), (0.5 - half, top + crown + 0.06))
        .to(0.5 - half * 0.94, 0.74)
        .to(0.5, 0.74)
        .mirrored();
    parts.push(Part::new(back, Paint::Print, Finish::Puffy));
    if shape.extras[1] {
        for (dx, dy) in [(-0.5, 0.0), (0.0, 0.0), (0.5, 0.0), (-0.25, 0.1), (0.25, 0.1)] {
            parts.push(Part::shadow(Path::circle(0.5 + dx * half, top + crown * 0.6 + 0.09 + dy, 0.011), 0.35));
        }
    }
    parts.push(Part::shadow(Path::rounded(0.5 - half * 0.8, seat - 0.015, 0.5 + half * 0.8, seat + 0.1, 0.03), 0.25));
    parts.push(
        Part::new(Path::rounded(0.5 - half * 0.82, seat, 0.5 + half * 0.82, seat + 0.11, 0.045), Paint::Print, Finish::Puffy)
            .brightness(1.05),
    );
    parts.push(
        Part::new(Path::rounded(0.5 - half * 0.95, seat + 0.1, 0.5 + half * 0.95, 0.83, 0.03), Paint::Print, Finish::Puffy)
            .brightness(0.94),
    );
    let arm = shape.measure(2, 0.07, 0.1);
    for side in [-1.0, 1.0_f32] {
        let inner = 0.5 + side * (half - arm * 0.35);
        let outer = inner + side * arm;
        let (x0, x1) = (inner.min(outer), inner.max(outer));
        parts.push(Part::new(Path::rounded(x0, seat - 0.1, x1, 0.84, arm * 0.5), Paint::Print, Finish::Puffy).brightness(if side < 0.0 {
            1.02
        } else {
            0.92
        }));
    }
    parts
}

fn stool(shape: &Shape) -> Vec<Part> {
    let wood = wood(shape);
    let half = shape.measure(0, 0.19, 0.26);
    let seat = shape.measure(1, 0.34, 0.5);
    let spread = shape.measure(2, 0.02, 0.09);
    let foot = 0.92;
    let mut parts = vec![];
    for (side, depth) in [(-0.55, 0.0), (0.55, 0.0), (-1.0, 1.0), (1.0, 1.0_f32)] {
        let end = (0.5 + side * (half * 0.9 + spread), foot - 0.07 * (1.0 - depth));
        parts.push(leg((0.5 + side * half * 0.78, seat), end, 0.03, wood).brightness(0.72 + 0.28 * depth));
    }
    let rung = seat + (foot - seat) * shape.measure(3, 0.5, 0.7);
    let reach = half * 0.84 + spread * 0.6;
    parts.push(leg((0.5 - reach, rung), (0.5 + reach, rung), 0.02, wood).brightness(0.9));
    let thick = shape.measure(4, 0.07, 0.12);
    let side = Path::ellipse(0.5, seat + thick, half, half * 0.2).and(Path::rect(0.5 - half, seat, 0.5 + half, seat + thick));
    parts.push(
        Part::new(side, if shape.extras[1] { Paint::Accent } else { Paint::Print }, Finish::Round { cx: 0.5, radius: half, sheen: 0.1 })
            .brightness(0.88),
    );
    parts.push(Part::new(Path::ellipse(0.5, seat, half, half * 0.24), Paint::Print, Finish::Puffy).brightness(1.1));
    parts
}

pub(crate) fn cushion(shape: &Shape) -> Vec<Part> {
    let (half_w, half_h) = match shape.style {
        0 => (shape.measure(0, 0.33, 0.38), shape.measure(0, 0.33, 0.38)),
        1 => (shape.measure(0, 0.37, 0.41), shape.measure(1, 0.22, 0.28)),
        _ => (shape.measure(0, 0.33, 0.39), shape.measure(0, 0.33, 0.39)),
    };
    let (cx, cy) = (0.5, 0.5);
    let outline = |grow: f32| {
        if shape.style == 2 {
            return Path::circle(cx, cy, half_w + grow);
        }
        let (w, h) = (half_w + grow, half_h + grow);
        let tuck = shape.measure(2, 0.82, 0.93);
        Line::from(cx - w, cy - h)
            .curve((cx - w * 0.4, cy - h * tuck), (cx + w * 0.4, cy - h * tuck), (cx + w, cy - h))
            .curve((cx + w * tuck, cy - h * 0.4), (cx + w * tuck, cy + h * 0.4), (cx + w, cy + h))
            .curve((cx + w * 0.4, cy + h * tuck), (cx - w * 0.4, cy + h * tuck), (cx - w, cy + h))
            .curve((cx - w * tuck, cy + h * 0.4), (cx - w * tuck, cy - h * 0.4), (cx - w, cy - h))
            .close()
    };
    let mut parts = vec![];
    if shape.extras[0] {
        parts.push(Part::new(outline(0.014), Paint::Accent, Finish::Gloss));
    }
    if shape.extras[1] && shape.style != 2 {
        for (sx, sy) in [(-1.0, -1.0), (1.0, -1.0), (-1.0, 1.0), (1.0, 1.0_f32)] {
            let (x, y) = (cx + sx * half_w, cy + sy * half_h);
            let tassel =
                Line::from(x - sx * 0.01, y - sy * 0.01).to(x + sx * 0.055, y + sy * 0.02).to(x + sx * 0.02, y + sy * 0.055).close();
            parts.push(Part::new(tassel, Paint::Detail, Finish::Cloth));
        }
    }
    parts.push(Part::new(outline(0.0), Paint::Print, Finish::Puffy));
    if shape.style == 2 {
        for i in 0..12 {
            let a = TAU * i as f32 / 12.0;
            let at = |r: f32| (cx + a.cos() * half_w * r, cy + a.sin() * half_w * r);
            parts.push(Part::shadow(Line::from(at(0.12).0, at(0.12).1).to(at(0.5).0, at(0.5).1).stroke(0.006), 0.12));
        }
        parts.push(Part::new(Path::circle(cx, cy, 0.035), Paint::Accent, Finish::Puffy));
    }
    parts
}
