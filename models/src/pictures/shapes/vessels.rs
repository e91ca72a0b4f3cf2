//! Mugs, bowls, bottles, tins and candles.

use std::f32::consts::{FRAC_PI_2, PI, TAU};

use super::Shape;
use crate::pictures::canvas::{Finish, Paint, Part};
use crate::pictures::path::{Line, Path};

const CREAM: Paint = Paint::Fixed([0.95, 0.92, 0.84]);
const STEEL: Paint = Paint::Fixed([0.74, 0.76, 0.78]);
const CORK: Paint = Paint::Fixed([0.78, 0.6, 0.41]);

/// A vessel's wall between two heights, wider or narrower at the foot, its foot curved as seen from a little above.
fn wall(cx: f32, top: f32, foot: f32, top_radius: f32, foot_radius: f32, belly: f32) -> Path {
    let sag = foot_radius * 0.16;
    let middle = (top + foot) / 2.0;
    Line::from(cx - top_radius, top)
        .curve((cx - top_radius - belly, middle), (cx - foot_radius - belly, foot - sag), (cx - foot_radius, foot))
        .curve((cx - foot_radius * 0.7, foot + sag), (cx + foot_radius * 0.7, foot + sag), (cx + foot_radius, foot))
        .curve((cx + foot_radius + belly, foot - sag), (cx + top_radius + belly, middle), (cx + top_radius, top))
        .close()
        .and(Path::ellipse(cx, top, top_radius, top_radius * 0.16))
}

pub(crate) fn mug(shape: &Shape) -> Vec<Part> {
    let (cx, radius) = (0.45, shape.measure(0, 0.19, 0.25));
    let height = shape.measure(1, 0.36, 0.54);
    let (top, foot) = (0.52 - height / 2.0, 0.52 + height / 2.0);
    let (foot_radius, belly) = match shape.style {
        0 => (radius * 0.98, 0.0),
        1 => (radius * shape.measure(2, 0.62, 0.78), 0.0),
        _ => (radius * 0.74, radius * 0.2),
    };
    let round = Finish::Round { cx, radius: radius * 1.02, sheen: 0.75 };
    let handle_paint = if shape.extras[0] { Paint::Accent } else { Paint::Main };
    let grip = shape.measure(3, 0.26, 0.36) * height;
    let handle_x = cx + (radius + foot_radius) / 2.0 + belly * 0.5;
    let handle =
        Path::arc(handle_x - 0.01, top + height * 0.46, shape.measure(4, 0.085, 0.13), grip, 0.038, -FRAC_PI_2 - 0.2, FRAC_PI_2 + 0.2);
    let mut parts = vec![Part::new(handle, handle_paint, Finish::Gloss)];
    let body = wall(cx, top, foot, radius, foot_radius, belly);
    parts.push(Part::new(body.clone(), Paint::Print, round));
    if shape.extras[1] {
        let band = Path::rect(0.0, foot - height * 0.13, 1.0, foot + 0.1);
        parts.push(Part::new(band, Paint::Accent, round).within(body));
    }
    let lip = Path::ellipse(cx, top, radius, radius * 0.16);
    let mouth = Path::ellipse(cx, top + 0.002, radius * 0.92, radius * 0.125);
    parts.push(Part::new(lip, handle_paint, Finish::Flat).brightness(1.08));
    parts.push(Part::new(mouth, CREAM, Finish::Round { cx, radius, sheen: 0.0 }).brightness(0.8));
    parts.push(Part::shadow(Path::ellipse(cx, top - radius * 0.03, radius * 0.86, radius * 0.075), 0.22));
    parts
}

pub(crate) fn bowl(shape: &Shape) -> Vec<Part> {
    let cx = 0.5;
    let radius = shape.measure(0, 0.3, 0.38);
    let depth = shape.measure(1, 0.2, 0.32);
    let top = 0.52 - depth / 2.0;
    let foot = top + depth;
    let round = Finish::Round { cx, radius, sheen: 0.7 };
    if shape.style == 2 {
        return plate(shape);
    }
    let stand = radius * shape.measure(2, 0.3, 0.5);
    let body = Line::from(cx - radius, top)
        .curve((cx - radius * 0.97, top + depth * 0.75), (cx - stand * 1.3, foot), (cx - stand, foot))
        .to(cx + stand, foot)
        .curve((cx + stand * 1.3, foot), (cx + radius * 0.97, top + depth * 0.75), (cx + radius, top))
        .close()
        .and(Path::ellipse(cx, top, radius, radius * 0.2));
    let base_paint = if shape.extras[0] { Paint::Accent } else { Paint::Main };
    let ring = wall(cx, foot - 0.01, foot + 0.03, stand, stand * 0.92, 0.0);
    let mut parts = vec![Part::new(ring, base_paint, Finish::Round { cx, radius: stand, sheen: 0.3 }).brightness(0.9)];
    parts.push(Part::new(body.clone(), Paint::Print, round));
    if shape.style == 1 {
        parts.push(Part::new(Path::rect(0.0, top - 0.1, 1.0, top + depth * 0.3), Paint::Accent, round).within(body));
    }
    parts.push(Part::new(Path::ellipse(cx, top, radius, radius * 0.2), base_paint, Finish::Flat).brightness(1.06));
    let inside = Finish::Round { cx, radius: radius * 1.1, sheen: 0.0 };
    parts.push(Part::new(Path::ellipse(cx, top + 0.004, radius * 0.95, radius * 0.17), CREAM, inside).brightness(0.84));
    parts.push(Part::shadow(Path::ellipse(cx, top - radius * 0.035, radius * 0.9, radius * 0.11), 0.16));
    parts
}

/// A plate seen from above, printed on its rim or all over.
fn plate(shape: &Shape) -> Vec<Part> {
    let radius = shape.measure(0, 0.34, 0.41);
    let well = radius * shape.measure(2, 0.52, 0.68);
    let disc = |r: f32| Path::circle(0.5, 0.5, r);
    let mut parts = vec![Part::new(disc(radius), Paint::Print, Finish::Gloss)];
    let middle = if shape.extras[0] { CREAM } else { Paint::Print };
    parts.push(Part::new(disc(well), middle, Finish::Gloss));
    parts.push(Part::new(disc(radius).without(disc(radius * 0.975)), Paint::Accent, Finish::Flat));
    if shape.extras[1] {
        parts.push(Part::new(disc(well * 1.04).without(disc(well)), Paint::Accent, Finish::Flat));
    }
    parts.push(Part::shadow(disc(well * 1.015).without(disc(well * 0.99)), 0.14));
    parts
}

pub(crate) fn bottle(shape: &Shape) -> Vec<Part> {
    let cx = 0.5;
    let radius = shape.measure(0, 0.105, 0.15);
    let (top, foot) = (shape.measure(1, 0.1, 0.18), 0.9);
    let neck = radius * shape.measure(2, 0.38, 0.6);
    let shoulder = top + shape.measure(3, 0.16, 0.3);
    let round = Finish::Round { cx, radius, sheen: 0.85 };
    let body = match shape.style {
        // A flask with straight walls and a broad cap.
        0 => Path::rounded(cx - radius, top + 0.1, cx + radius, foot, 0.045),
        _ => Line::from(cx - neck, top + 0.06)
            .curve((cx - neck, shoulder - 0.02), (cx - radius, shoulder - 0.04), (cx - radius, shoulder + 0.08))
            .to(cx - radius, foot - 0.03)
            .bend((cx - radius, foot), (cx - radius + 0.03, foot))
            .to(cx + radius - 0.03, foot)
            .bend((cx + radius, foot), (cx + radius, foot - 0.03))
            .to(cx + radius, shoulder + 0.08)
            .curve((cx + radius, shoulder - 0.04), (cx + neck, shoulder - 0.02), (cx + neck, top + 0.06))
            .close(),
    };
    let mut parts = vec![Part::new(body.clone(), Paint::Print, round)];
    let cap_paint = if shape.extras[0] { STEEL } else { Paint::Accent };
    match shape.style {
        0 => {
            if shape.extras[1] {
                parts.push(Part::new(Path::arc(cx, top + 0.02, radius * 0.55, 0.06, 0.022, PI, TAU), cap_paint, Finish::Gloss));
            }
            let cap = Path::rounded(cx - radius * 0.82, top, cx + radius * 0.82, top + 0.105, 0.02);
            parts.push(Part::new(cap, cap_paint, Finish::Round { cx, radius: radius * 0.82, sheen: 0.6 }));
            parts.push(Part::shadow(Path::rect(cx - radius, top + 0.1, cx + radius, top + 0.108), 0.3));
        }
        1 => {
            let cap = Path::rounded(cx - neck * 1.15, top, cx + neck * 1.15, top + 0.075, 0.012);
            parts.push(Part::new(cap, cap_paint, Finish::Round { cx, radius: neck * 1.15, sheen: 0.6 }));
        }
        _ => {
            let cork = Path::rounded(cx - neck * 0.8, top - 0.005, cx + neck * 0.8, top + 0.07, 0.01);
            parts.push(Part::new(cork, CORK, Finish::Round { cx, radius: neck, sheen: 0.1 }));
            let collar = Path::rounded(cx - neck * 1.2, top + 0.05, cx + neck * 1.2, top + 0.08, 0.012);
            parts.push(Part::new(collar, Paint::Main, Finish::Round { cx, radius: neck * 1.2, sheen: 0.6 }));
        }
    }
    if shape.extras[1] && shape.style != 0 {
        let (y0, y1) = (shoulder + 0.16, shoulder + 0.16 + shape.measure(4, 0.14, 0.24));
        let label = Path::rect(0.0, y0, 1.0, y1);
        parts.push(Part::new(label, CREAM, round).within(body.clone()));
        parts.push(Part::new(Path::rect(0.0, y0 + 0.03, 1.0, y0 + 0.045), Paint::Detail, round).within(body));
    } else {
        parts.push(Part::new(Path::rect(0.0, foot - 0.06, 1.0, foot - 0.03), Paint::Accent, round).within(body));
    }
    parts
}

pub(crate) fn tin(shape: &Shape) -> Vec<Part> {
    let cx = 0.5;
    if shape.style == 2 {
        return gift_box(shape);
    }
    let radius = shape.measure(0, 0.2, 0.3);
    let height = shape.measure(1, 0.3, 0.54);
    let (top, foot) = (0.53 - height / 2.0, 0.53 + height / 2.0);
    let round = Finish::Round { cx, radius, sheen: 0.7 };
    let body = wall(cx, top, foot, radius, radius, 0.0);
    let mut parts = vec![Part::new(body.clone(), Paint::Print, round)];
    if shape.extras[0] {
        let label = Path::ellipse(cx, (top + foot) / 2.0 + 0.03, radius * 0.62, height * 0.22);
        parts.push(Part::new(label.clone(), CREAM, round));
        let line = |dy: f32, w: f32| Path::rounded(cx - w, (top + foot) / 2.0 + dy, cx + w, (top + foot) / 2.0 + dy + 0.014, 0.007);
        parts.push(Part::new(line(0.015, radius * 0.36), Paint::Detail, Finish::Flat));
        parts.push(Part::new(line(0.05, radius * 0.22), Paint::Detail, Finish::Flat).opacity(0.7));
    }
    let (lid_top, lid_foot) = (top - 0.01, top + shape.measure(2, 0.05, 0.1));
    let lid = wall(cx, lid_top, lid_foot, radius * 1.035, radius * 1.035, 0.0);
    let lid_paint = if shape.style == 0 { Paint::Accent } else { Paint::Main };
    let lid_round = Finish::Round { cx, radius: radius * 1.035, sheen: 0.7 };
    parts.push(Part::shadow(wall(cx, lid_foot, lid_foot + 0.012, radius, radius, 0.0), 0.25).within(body));
    parts.push(Part::new(lid, lid_paint, lid_round));
    parts.push(Part::new(Path::ellipse(cx, lid_top, radius * 1.035, radius * 0.165), lid_paint, Finish::Flat).brightness(1.1));
    parts.push(Part::light(Path::ellipse(cx - radius * 0.2, lid_top - radius * 0.03, radius * 0.6, radius * 0.07), 0.14));
    if shape.extras[1] {
        parts.push(Part::shadow(Path::ellipse(cx, lid_top + 0.006, radius * 0.16, radius * 0.05), 0.2));
        parts.push(Part::new(Path::ellipse(cx, lid_top - 0.03, radius * 0.15, 0.036), lid_paint, Finish::Gloss));
    }
    parts
}

/// A square box with a lid and, often, a ribbon.
fn gift_box(shape: &Shape) -> Vec<Part> {
    let half = shape.measure(0, 0.24, 0.34);
    let height = shape.measure(1, 0.26, 0.46);
    let (top, foot) = (0.54 - height / 2.0, 0.54 + height / 2.0);
    let lid = shape.measure(2, 0.07, 0.12);
    let ribbon = shape.measure(3, 0.03, 0.06);
    let mut parts = vec![Part::new(Path::rect(0.5 - half, top, 0.5 + half, foot), Paint::Print, Finish::Gloss)];
    if shape.extras[0] {
        parts.push(Part::new(Path::rect(0.5 - ribbon, top, 0.5 + ribbon, foot), Paint::Detail, Finish::Cloth));
    }
    parts.push(Part::shadow(Path::rect(0.5 - half, top + lid, 0.5 + half, top + lid + 0.016), 0.2));
    let over = half * 1.04;
    let cover = Path::rounded(0.5 - over, top - 0.01, 0.5 + over, top + lid, 0.008);
    parts.push(Part::new(cover, Paint::Accent, Finish::Gloss));
    if shape.extras[0] {
        parts.push(Part::new(Path::rect(0.5 - ribbon, top - 0.01, 0.5 + ribbon, top + lid), Paint::Detail, Finish::Cloth).brightness(1.05));
        let loop_of = |side: f32| {
            Line::from(0.5, top - 0.01)
                .curve((0.5 + side * 0.06, top - 0.16), (0.5 + side * 0.24, top - 0.13), (0.5 + side * 0.15, top - 0.035))
                .curve((0.5 + side * 0.1, top - 0.01), (0.5 + side * 0.04, top - 0.005), (0.5, top - 0.01))
        };
        for side in [-1.0, 1.0] {
            parts.push(Part::new(loop_of(side).close(), Paint::Detail, Finish::Puffy));
            parts.push(Part::shadow(
                Path::ellipse(0.5 + side * 0.1, top - 0.06, 0.04, 0.018).turned(0.5 + side * 0.1, top - 0.06, -side * 0.5),
                0.3,
            ));
        }
        parts.push(Part::new(Path::ellipse(0.5, top - 0.025, 0.032, 0.026), Paint::Detail, Finish::Puffy).brightness(0.92));
    }
    parts
}

pub(crate) fn candle(shape: &Shape) -> Vec<Part> {
    let cx = 0.5;
    let radius = shape.measure(0, 0.14, 0.22);
    let height = shape.measure(1, 0.28, 0.46);
    let foot = 0.84;
    let top = foot - height;
    let round = Finish::Round { cx, radius, sheen: 0.6 };
    let body = wall(cx, top, foot, radius, if shape.style == 1 { radius * 0.84 } else { radius }, 0.0);
    let mut parts = vec![];
    match shape.style {
        // A pillar of wax on a dish.
        0 => {
            let dish = wall(cx, foot - 0.005, foot + 0.03, radius * 1.5, radius * 1.2, 0.0);
            parts.push(Part::new(dish, Paint::Accent, Finish::Round { cx, radius: radius * 1.5, sheen: 0.5 }));
            parts.push(Part::new(body.clone(), Paint::Print, Finish::Round { cx, radius, sheen: 0.15 }));
            parts.push(Part::new(Path::ellipse(cx, top, radius, radius * 0.16), Paint::Main, Finish::Flat).brightness(1.12));
            parts.push(Part::light(Path::ellipse(cx, top, radius * 0.55, radius * 0.09), 0.3));
        }
        // Wax in a glass or a glazed pot.
        _ => {
            parts.push(Part::new(body.clone(), Paint::Print, round));
            parts.push(Part::new(Path::ellipse(cx, top, radius, radius * 0.16), Paint::Main, Finish::Flat).brightness(1.1));
            parts.push(Part::new(Path::ellipse(cx, top + 0.004, radius * 0.9, radius * 0.125), CREAM, Finish::Flat).brightness(0.97));
            if shape.extras[0] {
                let (w, h) = (radius * 0.62, height * shape.measure(2, 0.2, 0.3));
                let middle = (top + foot) / 2.0 + 0.02;
                parts.push(Part::new(Path::rounded(cx - w, middle - h, cx + w, middle + h, 0.015), CREAM, round));
                parts.push(Part::new(
                    Path::rounded(cx - w * 0.6, middle - 0.02, cx + w * 0.6, middle - 0.004, 0.008),
                    Paint::Detail,
                    Finish::Flat,
                ));
                parts.push(Part::new(
                    Path::rounded(cx - w * 0.4, middle + 0.02, cx + w * 0.4, middle + 0.032, 0.006),
                    Paint::Detail,
                    Finish::Flat,
                ));
            }
        }
    }
    parts.push(Part::new(
        Line::from(cx, top).bend((cx + 0.004, top - 0.03), (cx + 0.008, top - 0.05)).stroke(0.009),
        Paint::Fixed([0.2, 0.16, 0.14]),
        Finish::Flat,
    ));
    let flame = |scale: f32| {
        let (w, h) = (0.034 * scale, 0.115 * scale);
        let base = top - 0.035;
        Line::from(cx + 0.008, base - h)
            .curve((cx + 0.006 - w * 0.4, base - h * 0.6), (cx - w, base - h * 0.3), (cx + 0.006, base))
            .curve((cx + 0.012 + w, base - h * 0.3), (cx + 0.012 + w * 0.5, base - h * 0.6), (cx + 0.008, base - h))
            .close()
    };
    let flame_size = shape.measure(4, 0.85, 1.15);
    parts.push(Part::light(Path::circle(cx + 0.006, top - 0.08, 0.085), 0.10));
    parts.push(Part::new(flame(flame_size), Paint::Fixed([0.98, 0.66, 0.22]), Finish::Flat));
    parts.push(Part::new(flame(flame_size * 0.62), Paint::Fixed([1.0, 0.93, 0.6]), Finish::Flat));
    parts
}
