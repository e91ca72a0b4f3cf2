//! Hats, shoes, bags, backpacks and umbrellas.

use std::f32::consts::{FRAC_PI_2, PI, TAU};

use super::Shape;
use crate::pictures::canvas::{Finish, Paint, Part};
use crate::pictures::path::{Line, Path};

const WHITE: Paint = Paint::Fixed([0.95, 0.95, 0.93]);
const BRASS: Paint = Paint::Fixed([0.8, 0.66, 0.38]);
const DARK: Paint = Paint::Fixed([0.18, 0.18, 0.2]);
const LEATHER: Paint = Paint::Fixed([0.58, 0.38, 0.24]);
const WOOD: Paint = Paint::Fixed([0.55, 0.37, 0.24]);

pub(crate) fn hat(shape: &Shape) -> Vec<Part> {
    match shape.style {
        0 => cap(shape),
        1 => beanie(shape),
        _ => sun_hat(shape),
    }
}

fn cap(shape: &Shape) -> Vec<Part> {
    let (cx, base) = (0.43, 0.6);
    let half = shape.measure(0, 0.25, 0.29);
    let high = shape.measure(1, 0.27, 0.35);
    let crown = Line::from(cx - half, base)
        .curve((cx - half, base - high * 0.9), (cx - half * 0.45, base - high), (cx, base - high))
        .curve((cx + half * 0.6, base - high), (cx + half, base - high * 0.6), (cx + half, base))
        .bend((cx, base + 0.05), (cx - half, base))
        .close();
    let visor_paint = if shape.extras[0] { Paint::Accent } else { Paint::Main };
    let reach = shape.measure(2, 0.2, 0.28);
    let visor = Line::from(cx - half * 0.25, base + 0.018)
        .bend((cx + half * 0.5, base - 0.01), (cx + half, base - 0.02))
        .curve((cx + half + reach * 0.5, base - 0.01), (cx + half + reach, base + 0.03), (cx + half + reach * 0.98, base + 0.085))
        .curve((cx + half + reach * 0.4, base + 0.07), (cx + half * 0.4, base + 0.09), (cx - half * 0.25, base + 0.018))
        .close();
    let mut parts = vec![Part::new(crown, Paint::Print, Finish::Puffy)];
    for bend in [-0.5, 0.12, 0.62_f32] {
        let seam = Line::from(cx, base - high).curve(
            (cx + half * bend, base - high * 0.9),
            (cx + half * bend * 1.3, base - high * 0.4),
            (cx + half * bend * 1.3, base + 0.018),
        );
        parts.push(Part::seam(seam.stroke(0.006)));
    }
    parts.push(Part::new(Path::ellipse(cx, base - high - 0.004, 0.024, 0.014), visor_paint, Finish::Gloss));
    if shape.extras[1] {
        let (x, y) = (cx + half * 0.36, base - high * 0.45);
        parts.push(Part::new(Path::ellipse(x, y, 0.06, 0.068), Paint::Detail, Finish::Puffy));
    }
    parts.push(Part::shadow(visor.clone().moved(0.0, 0.012), 0.18));
    parts.push(Part::new(visor, visor_paint, Finish::Gloss).brightness(0.97));
    parts
}

fn beanie(shape: &Shape) -> Vec<Part> {
    let half = shape.measure(0, 0.24, 0.29);
    let (top, base) = (shape.measure(1, 0.2, 0.3), 0.68);
    let dome =
        Line::from(0.5, top).curve((0.5 - half * 0.8, top), (0.5 - half * 1.02, top + 0.16), (0.5 - half, base)).to(0.5, base).mirrored();
    let mut parts = vec![];
    if shape.extras[0] {
        let r = shape.measure(2, 0.07, 0.1);
        for i in 0..14 {
            let a = TAU * i as f32 / 14.0;
            parts.push(Part::new(
                Path::circle(0.5 + a.cos() * r * 0.6, top - r * 0.45 + a.sin() * r * 0.6, r * 0.45),
                Paint::Detail,
                Finish::Puffy,
            ));
        }
        parts.push(Part::new(Path::circle(0.5, top - r * 0.45, r * 0.75), Paint::Detail, Finish::Puffy));
    }
    parts.push(Part::new(dome, Paint::Print, Finish::Puffy));
    let cuff_high = shape.measure(3, 0.1, 0.15);
    let cuff = Path::rounded(0.5 - half - 0.016, base - cuff_high * 0.4, 0.5 + half + 0.016, base + cuff_high * 0.7, 0.035);
    let cuff_paint = if shape.extras[1] { Paint::Accent } else { Paint::Main };
    parts.push(Part::shadow(cuff.clone().moved(0.0, -0.012), 0.2));
    parts.push(Part::new(cuff.clone(), cuff_paint, Finish::Puffy));
    for i in 0..17 {
        let x = 0.5 - half + 2.0 * half * i as f32 / 16.0;
        parts.push(Part::shadow(Path::rect(x - 0.003, base - 0.2, x + 0.003, base + 0.2), 0.12).within(cuff.clone()));
    }
    parts
}

fn sun_hat(shape: &Shape) -> Vec<Part> {
    let (cx, base) = (0.5, 0.6);
    let half = shape.measure(0, 0.19, 0.23);
    let brim = shape.measure(1, 0.36, 0.42);
    let high = shape.measure(2, 0.2, 0.28);
    let mut parts = vec![Part::new(Path::ellipse(cx, base, brim, brim * 0.27), Paint::Print, Finish::Puffy)];
    parts.push(Part::shadow(Path::ellipse(cx, base - 0.005, half * 1.2, half * 0.33), 0.3));
    let crown = Line::from(cx, base - high)
        .curve((cx - half * 0.7, base - high), (cx - half * 0.95, base - high * 0.75), (cx - half, base - 0.02))
        .bend((cx - half * 0.6, base + half * 0.22), (cx, base + half * 0.22))
        .mirrored();
    parts.push(Part::new(crown.clone(), Paint::Print, Finish::Puffy).brightness(1.04));
    let ribbon = shape.measure(3, 0.045, 0.08);
    let band = Line::from(cx, base - ribbon + half * 0.2)
        .bend((cx - half * 0.7, base - ribbon + half * 0.2), (cx - half, base - 0.025 - ribbon))
        .to(cx - half * 1.02, base - 0.02)
        .bend((cx - half * 0.6, base + half * 0.23), (cx, base + half * 0.23))
        .mirrored();
    parts.push(Part::new(band, if shape.extras[0] { Paint::Detail } else { Paint::Accent }, Finish::Cloth).within(crown));
    parts
}

pub(crate) fn shoe(shape: &Shape) -> Vec<Part> {
    let (heel, toe, floor) = (0.1, 0.9, 0.72);
    let sole = shape.measure(0, 0.045, 0.08);
    let boot = shape.style == 1;
    let collar = if boot { shape.measure(1, 0.16, 0.28) } else { shape.measure(1, 0.4, 0.46) };
    let opening = heel + if boot { 0.3 } else { 0.27 };
    let top = floor - sole;
    let throat = top - 0.13;
    let upper = Line::from(heel + 0.02, top)
        .curve((heel - 0.01, top - 0.1), (heel + 0.03, collar + 0.12), (heel + 0.02, collar))
        .bend((heel + 0.14, collar + if boot { 0.0 } else { 0.05 }), (opening, collar - if boot { 0.0 } else { 0.015 }))
        .curve((opening + 0.02, collar + 0.08), (opening + 0.1, throat - 0.03), (opening + 0.2, throat))
        .curve((toe - 0.1, throat + 0.005), (toe + 0.005, top - 0.085), (toe, top))
        .close();
    let sole_path = Path::rounded(heel - 0.005, top - 0.012, toe + 0.015, floor, sole * 0.5);
    let sole_paint = if shape.extras[0] { WHITE } else { Paint::Detail };
    let mut parts = vec![Part::new(upper.clone(), Paint::Print, Finish::Puffy)];
    let toe_cap = Path::ellipse(toe + 0.01, top + 0.02, shape.measure(2, 0.15, 0.21), 0.15);
    if shape.style != 2 {
        parts.push(Part::new(toe_cap, if shape.extras[0] { WHITE } else { Paint::Accent }, Finish::Puffy).within(upper.clone()));
        parts.push(
            Part::new(Path::ellipse(heel + 0.01, top, 0.1, if boot { 0.17 } else { 0.13 }), Paint::Accent, Finish::Puffy)
                .within(upper.clone()),
        );
    }
    let rows = if boot { 5 } else { 4 };
    if shape.style == 2 {
        // Slip-on: an elastic panel instead of laces.
        let panel = Line::from(opening + 0.0, collar + 0.02)
            .to(opening + 0.07, collar + 0.03)
            .to(opening + 0.08, top - 0.06)
            .to(opening + 0.01, top - 0.08)
            .close();
        parts.push(Part::new(panel, DARK, Finish::Cloth).within(upper.clone()));
    } else {
        let tongue = Line::from(opening - 0.02, collar - 0.025)
            .to(opening + 0.05, collar - 0.03)
            .to(opening + 0.09, collar + 0.08)
            .to(opening, collar + 0.06)
            .close();
        parts.insert(0, Part::new(tongue, Paint::Accent, Finish::Puffy).brightness(0.9));
        for i in 0..rows {
            let t = i as f32 / (rows - 1) as f32;
            let (x, y) = (opening + 0.035 + t * 0.17 * if boot { 0.95 } else { 1.0 }, collar + 0.05 + t * (throat - collar - 0.02));
            parts.push(Part::new(Line::from(x, y).to(x - 0.075, y + 0.05).stroke(0.014), WHITE, Finish::Gloss));
            parts.push(Part::shadow(Path::circle(x - 0.075, y + 0.05, 0.009), 0.4));
        }
    }
    if shape.extras[1] && !boot {
        let wave = Line::from(heel + 0.14, top - 0.05)
            .curve((heel + 0.3, top - 0.02), (heel + 0.42, top - 0.1), (heel + 0.5, top - 0.17))
            .curve((heel + 0.44, top - 0.05), (heel + 0.3, top + 0.01), (heel + 0.14, top - 0.05))
            .close();
        parts.push(Part::new(wave, Paint::Detail, Finish::Gloss).within(upper.clone()));
    }
    let lining = Line::from(heel + 0.03, collar + 0.006)
        .bend((heel + 0.14, collar + if boot { 0.006 } else { 0.056 }), (opening - 0.005, collar - if boot { -0.006 } else { 0.01 }))
        .stroke(0.016);
    parts.push(Part::new(lining, Paint::Accent, Finish::Flat).brightness(0.75));
    parts.push(Part::shadow(Path::rect(0.0, top - 0.02, 1.0, top), 0.14).within(upper));
    parts.push(Part::new(sole_path.clone(), sole_paint, Finish::Gloss));
    parts.push(Part::shadow(Path::rect(0.0, floor - sole * 0.42, 1.0, floor - sole * 0.32), 0.18).within(sole_path));
    parts
}

pub(crate) fn bag(shape: &Shape) -> Vec<Part> {
    let half = shape.measure(0, 0.24, 0.33);
    let (top, foot) = (shape.measure(1, 0.4, 0.5), 0.88);
    let taper = shape.measure(2, -0.04, 0.05);
    let strap = if shape.extras[0] { LEATHER } else { Paint::Accent };
    let body = Line::from(0.5, top)
        .to(0.5 - half + taper, top)
        .to(0.5 - half, foot - 0.03)
        .bend((0.5 - half, foot), (0.5 - half + 0.04, foot))
        .to(0.5, foot)
        .mirrored();
    let reach = shape.measure(3, 0.1, 0.15);
    let tall = if shape.style == 1 { 0.17 } else { shape.measure(4, 0.22, 0.32) };
    let handle = |dy: f32| Path::arc(0.5, top + 0.02 + dy, reach, tall, 0.03, PI, TAU);
    let mut parts = vec![Part::new(handle(-0.03), strap, Finish::Cloth).brightness(0.7)];
    parts.push(Part::new(body.clone(), Paint::Print, Finish::Puffy));
    match shape.style {
        // An open shopper, a handbag with a flap, or a bag with a coloured foot.
        0 => {
            for side in [-1.0, 1.0_f32] {
                let x = 0.5 + side * reach;
                parts.push(Part::new(Path::rect(x - 0.016, top, x + 0.016, top + 0.13), strap, Finish::Cloth));
            }
            parts.push(Part::new(Path::rect(0.0, top, 1.0, top + 0.035), Paint::Accent, Finish::Cloth).within(body));
        }
        1 => {
            let deep = (foot - top) * 0.55;
            let flap = Line::from(0.5, top - 0.01)
                .to(0.5 - half + taper - 0.006, top - 0.01)
                .curve((0.5 - half, top + deep * 0.7), (0.5 - half * 0.5, top + deep), (0.5, top + deep))
                .mirrored();
            parts.push(Part::shadow(flap.clone().moved(0.0, 0.014), 0.28).within(body));
            parts.push(Part::new(flap, Paint::Accent, Finish::Puffy));
            parts.push(Part::new(Path::rounded(0.47, top + deep - 0.05, 0.53, top + deep + 0.02, 0.015), BRASS, Finish::Gloss));
        }
        _ => {
            parts.push(Part::new(Path::rect(0.0, foot - (foot - top) * 0.32, 1.0, 1.0), Paint::Accent, Finish::Puffy).within(body.clone()));
            parts.push(
                Part::seam(Path::rect(0.5 - half, foot - (foot - top) * 0.32 - 0.004, 0.5 + half, foot - (foot - top) * 0.32)).within(body),
            );
        }
    }
    parts.push(Part::new(handle(0.0), strap, Finish::Cloth));
    if shape.extras[1] && shape.style != 1 {
        let (x, y) = (0.5, top + (foot - top) * 0.42);
        parts.push(Part::new(Path::rounded(x - 0.07, y - 0.035, x + 0.07, y + 0.035, 0.01), Paint::Detail, Finish::Cloth));
    }
    parts
}

pub(crate) fn backpack(shape: &Shape) -> Vec<Part> {
    let half = shape.measure(0, 0.22, 0.28);
    let (top, foot) = (shape.measure(1, 0.16, 0.24), 0.88);
    let crown = shape.measure(2, 0.1, 0.22);
    let mut parts = vec![Part::new(Path::arc(0.5, top + 0.01, 0.065, 0.075, 0.024, PI, TAU), Paint::Accent, Finish::Gloss)];
    for side in [-1.0, 1.0_f32] {
        let strap = Line::from(0.5 + side * half * 0.7, top + 0.1).curve(
            (0.5 + side * (half + 0.09), top + 0.2),
            (0.5 + side * (half + 0.09), foot - 0.2),
            (0.5 + side * half * 0.9, foot - 0.04),
        );
        parts.push(Part::new(strap.stroke(0.04), Paint::Accent, Finish::Cloth).brightness(0.75));
    }
    let body = Line::from(0.5, top)
        .curve((0.5 - half * 0.8, top), (0.5 - half, top + crown * 0.4), (0.5 - half, top + crown))
        .to(0.5 - half - 0.01, foot - 0.06)
        .bend((0.5 - half - 0.01, foot), (0.5 - half + 0.05, foot))
        .to(0.5, foot)
        .mirrored();
    parts.push(Part::new(body.clone(), Paint::Print, Finish::Puffy));
    let pocket_high = shape.measure(3, 0.24, 0.32);
    let pocket = Path::rounded(0.5 - half * 0.76, foot - 0.05 - pocket_high, 0.5 + half * 0.76, foot - 0.05, 0.045);
    let pocket_paint = if shape.extras[0] { Paint::Accent } else { Paint::Print };
    parts.push(Part::shadow(pocket.clone().moved(0.004, 0.01), 0.3));
    parts.push(Part::new(pocket, pocket_paint, Finish::Puffy));
    let zip = foot - 0.05 - pocket_high + 0.05;
    parts.push(Part::new(Path::rounded(0.5 - half * 0.62, zip, 0.5 + half * 0.62, zip + 0.012, 0.006), DARK, Finish::Flat));
    parts.push(Part::new(
        Path::rounded(0.5 + half * 0.45, zip + 0.004, 0.5 + half * 0.45 + 0.014, zip + 0.055, 0.006),
        BRASS,
        Finish::Gloss,
    ));
    match shape.style {
        0 => parts.push(
            Part::seam(
                Line::from(0.5 - half * 0.96, top + crown + 0.08)
                    .bend((0.5, top + 0.02), (0.5 + half * 0.96, top + crown + 0.08))
                    .stroke(0.01),
            )
            .within(body),
        ),
        1 => {
            // A flap closed by two buckled belts.
            let flap = Line::from(0.5, top - 0.004)
                .curve((0.5 - half * 0.84, top - 0.004), (0.5 - half - 0.01, top + crown * 0.4), (0.5 - half - 0.008, top + crown))
                .to(0.5 - half * 0.96, top + 0.26)
                .bend((0.5 - half * 0.9, top + 0.31), (0.5 - half * 0.6, top + 0.31))
                .to(0.5, top + 0.31)
                .mirrored();
            parts.push(Part::shadow(flap.clone().moved(0.0, 0.014), 0.28));
            parts.push(Part::new(flap, Paint::Accent, Finish::Puffy));
            for side in [-1.0, 1.0_f32] {
                let x = 0.5 + side * half * 0.5;
                parts.push(Part::new(Path::rect(x - 0.015, top + 0.2, x + 0.015, top + 0.4), LEATHER, Finish::Cloth));
                parts.push(Part::new(Path::rounded(x - 0.024, top + 0.33, x + 0.024, top + 0.37, 0.006), BRASS, Finish::Gloss));
            }
        }
        _ => {
            let patch = Path::circle(0.5, top + 0.17, shape.measure(4, 0.06, 0.085));
            parts.push(Part::new(patch, Paint::Detail, Finish::Cloth));
        }
    }
    if shape.extras[1] {
        parts.push(
            Part::new(Path::rect(0.5 - half - 0.02, foot - 0.07, 0.5 + half + 0.02, foot + 0.02), Paint::Detail, Finish::Puffy)
                .within(Path::rounded(0.5 - half - 0.01, top, 0.5 + half + 0.01, foot, 0.06)),
        );
    }
    parts
}

pub(crate) fn umbrella(shape: &Shape) -> Vec<Part> {
    let cx = 0.5;
    let half = shape.measure(0, 0.36, 0.42);
    let (top, rim) = (shape.measure(1, 0.12, 0.2), 0.5);
    let panels = if shape.style == 0 { 4 } else { 6 };
    let handle = if shape.extras[0] { WOOD } else { Paint::Accent };
    let foot = 0.88;
    let hook = 0.055;
    let mut parts = vec![
        Part::new(Path::rect(cx - 0.009, top - 0.05, cx + 0.009, foot - 0.06), DARK, Finish::Round { cx, radius: 0.01, sheen: 0.8 }),
        Part::new(Path::rect(cx - 0.014, foot - 0.16, cx + 0.014, foot - 0.02), handle, Finish::Round { cx, radius: 0.014, sheen: 0.5 }),
        Part::new(Path::arc(cx - hook, foot - 0.02, hook, hook, 0.028, 0.0, PI), handle, Finish::Gloss),
    ];
    let edge = |i: usize| cx - half + 2.0 * half * i as f32 / panels as f32;
    let mut outline = Line::from(cx - half, rim);
    for i in 0..panels {
        let (a, b) = (edge(i), edge(i + 1));
        outline = outline.bend(((a + b) / 2.0, rim - shape.measure(2, 0.04, 0.075)), (b, rim));
    }
    let canopy = outline
        .curve((cx + half * 0.97, rim - 0.2), (cx + half * 0.55, top), (cx, top))
        .curve((cx - half * 0.55, top), (cx - half * 0.97, rim - 0.2), (cx - half, rim))
        .close();
    parts.push(Part::new(canopy.clone(), Paint::Print, Finish::Puffy));
    for i in 1..panels {
        let x = edge(i);
        let bulge = cx + (x - cx) * 0.92;
        let rib = |to: f32| Line::from(cx, top).curve((cx + (to - cx) * 0.55, top + 0.04), (bulge, rim - 0.16), (to, rim));
        parts.push(Part::seam(rib(x).stroke(0.005)).within(canopy.clone()));
        if i % 2 == 1 && shape.style != 2 {
            let gore = rib(x)
                .to(edge(i + 1), rim)
                .curve((cx + (edge(i + 1) - cx) * 0.92, rim - 0.16), (cx + (edge(i + 1) - cx) * 0.55, top + 0.04), (cx, top))
                .close();
            let paint =
                if shape.style == 1 && shape.extras[1] { Part::new(gore, Paint::Accent, Finish::Flat) } else { Part::shadow(gore, 0.1) };
            parts.push(paint.within(canopy.clone()));
        }
    }
    parts.push(Part::new(Path::arc(cx, top - 0.035, 0.004, 0.03, 0.012, -FRAC_PI_2, FRAC_PI_2), DARK, Finish::Flat));
    parts
}
