//! T-shirts, hoodies and dresses, laid flat.

use super::Shape;
use crate::pictures::canvas::{Finish, Paint, Part};
use crate::pictures::path::{Line, Path};

/// A sleeve from the shoulder, on the left: `length` along `angle` (radians below the horizontal), narrowing from `wide` to `cuff`.
struct Sleeve {
    shoulder: (f32, f32),
    length: f32,
    angle: f32,
    wide: f32,
    cuff: f32,
}

impl Sleeve {
    /// The part of the sleeve from `from` to `to` of its length.
    fn piece(&self, from: f32, to: f32) -> Path {
        let (sin, cos) = self.angle.sin_cos();
        let (along, across) = ((-cos, sin), (sin, cos));
        let at = |t: f32, low: bool| {
            let width = if low { self.wide + (self.cuff - self.wide) * t } else { 0.0 };
            let reach = self.length * t;
            (self.shoulder.0 + along.0 * reach + across.0 * width, self.shoulder.1 + along.1 * reach + across.1 * width)
        };
        let [a, b, c, d] = [at(from, false), at(to, false), at(to, true), at(from, true)];
        Line::from(a.0, a.1).to(b.0, b.1).to(c.0, c.1).to(d.0, d.1).close()
    }

    /// Short sleeves begin a little inside the body; long, steep ones would show above the shoulder.
    fn tuck(&self) -> f32 {
        if self.angle > 1.0 { 0.0 } else { -0.1 }
    }

    fn parts(&self, paint: Paint, trim: Option<(Paint, f32)>) -> Vec<Part> {
        let mut parts = vec![];
        for side in [-1.0, 1.0_f32] {
            let place = |path: Path| if side < 0.0 { path } else { path.flipped() };
            let dim = if side < 0.0 { 0.97 } else { 0.9 };
            let turn = side * (self.angle - 0.15);
            parts.push(Part::new(place(self.piece(self.tuck(), 1.0)), paint, Finish::Cloth).turn(turn).brightness(dim));
            if let Some((trim_paint, share)) = trim {
                parts.push(Part::new(place(self.piece(1.0 - share, 1.0)), trim_paint, Finish::Cloth).brightness(dim));
            }
        }
        parts
    }
}

fn torso(neck: f32, shoulder: f32, top: f32, waist: f32, hem_half: f32, hem: f32) -> Path {
    Line::from(0.5, top + 0.01)
        .to(0.5 - neck, top)
        .to(0.5 - shoulder, top + 0.05)
        .curve((0.5 - shoulder + 0.015, top + 0.16), (0.5 - waist, top + 0.3), (0.5 - waist, (top + hem) / 2.0 + 0.06))
        .to(0.5 - hem_half, hem - 0.01)
        .bend((0.5 - hem_half * 0.4, hem + 0.008), (0.5, hem + 0.008))
        .mirrored()
}

/// The opening at the neck: what is seen of the inside of the back, and the band around it.
fn collar(neck: f32, top: f32, drop: f32, pointed: bool, band: Paint) -> Vec<Part> {
    let opening = |grow: f32| {
        let (n, d) = (neck + grow, drop + grow);
        let line = Line::from(0.5 - n, top - 0.012);
        let front = if pointed {
            line.to(0.5, top + d * 1.25).to(0.5 + n, top - 0.012)
        } else {
            line.curve((0.5 - n * 0.9, top + d * 1.25), (0.5 + n * 0.9, top + d * 1.25), (0.5 + n, top - 0.012))
        };
        front.bend((0.5, top + 0.012), (0.5 - n, top - 0.012)).close()
    };
    vec![
        Part::new(opening(0.017), band, Finish::Cloth).brightness(0.95),
        Part::new(opening(0.0), Paint::Main, Finish::Flat).brightness(0.55),
        Part::new(Path::arc(0.5, top - 0.012, neck, 0.02, 0.016, 0.15, 2.99), band, Finish::Flat).brightness(0.78),
    ]
}

fn stitch(y: f32, half: f32) -> Part {
    Part::seam(Line::from(0.5 - half, y).bend((0.5, y + 0.012), (0.5 + half, y)).stroke(0.004)).opacity(0.3)
}

pub(crate) fn t_shirt(shape: &Shape) -> Vec<Part> {
    let (top, hem) = (0.16, shape.measure(0, 0.8, 0.88));
    let shoulder = shape.measure(1, 0.2, 0.235);
    let neck = shape.measure(2, 0.075, 0.105);
    let trim = if shape.extras[0] { Paint::Accent } else { Paint::Main };
    let long = shape.style == 2;
    let sleeve = Sleeve {
        shoulder: (0.5 - shoulder + 0.012, top + 0.042),
        length: if long { shape.measure(3, 0.46, 0.52) } else { shape.measure(3, 0.15, 0.22) },
        angle: if long { 1.12 } else { 0.82 },
        wide: 0.155,
        cuff: if long { 0.075 } else { 0.125 },
    };
    let mut parts = sleeve.parts(Paint::Print, Some((trim, if long { 0.07 } else { 0.12 })));
    let waist = shoulder - 0.012;
    parts.push(Part::new(torso(neck, shoulder, top, waist, waist + 0.008, hem), Paint::Print, Finish::Cloth));
    parts.extend(collar(neck, top, shape.measure(4, 0.05, 0.09), shape.style == 1, trim));
    parts.push(stitch(hem - 0.02, waist));
    if shape.extras[1] {
        let (x, y, w) = (0.545, top + 0.17, 0.1);
        let pocket = Line::from(x, y).to(x + w, y).to(x + w, y + 0.09).to(x + w / 2.0, y + 0.115).to(x, y + 0.09).close();
        parts.push(Part::shadow(pocket.clone().moved(0.002, 0.004), 0.25));
        parts.push(Part::new(pocket, Paint::Accent, Finish::Cloth));
    }
    parts
}

pub(crate) fn hoodie(shape: &Shape) -> Vec<Part> {
    let (top, hem) = (0.24, shape.measure(0, 0.84, 0.9));
    let shoulder = shape.measure(1, 0.205, 0.24);
    let neck = 0.1;
    let trim = if shape.extras[0] { Paint::Accent } else { Paint::Main };
    let sleeve = Sleeve {
        shoulder: (0.5 - shoulder + 0.012, top + 0.042),
        length: shape.measure(3, 0.48, 0.54),
        angle: 1.17,
        wide: 0.165,
        cuff: 0.085,
    };
    let raglan = if shape.style == 1 { Paint::Accent } else { Paint::Print };
    let mut parts = sleeve.parts(raglan, Some((trim, 0.09)));
    let high = shape.measure(2, 0.09, 0.14);
    let hood = Line::from(0.5, top - high)
        .curve((0.5 - 0.12, top - high), (0.5 - 0.165, top - high * 0.3), (0.5 - 0.135, top + 0.06))
        .to(0.5, top + 0.12)
        .mirrored();
    parts.push(Part::new(hood, Paint::Print, Finish::Puffy));
    let lining = Line::from(0.5, top - high * 0.55)
        .curve((0.5 - 0.07, top - high * 0.55), (0.5 - 0.098, top - 0.01), (0.5 - 0.08, top + 0.05))
        .to(0.5, top + 0.11)
        .mirrored();
    parts.push(Part::new(lining, trim, Finish::Cloth).brightness(0.5));
    let waist = shoulder - 0.004;
    let body = torso(neck, shoulder, top + 0.02, waist, waist - 0.01, hem);
    let open = Line::from(0.5 - neck, top - 0.06)
        .curve((0.5 - neck * 0.8, top + 0.13), (0.5 + neck * 0.8, top + 0.13), (0.5 + neck, top - 0.06))
        .close();
    parts.push(Part::new(body.clone().without(open), Paint::Print, Finish::Cloth));
    parts.push(Part::new(Path::rect(0.0, hem - 0.05, 1.0, 1.0), trim, Finish::Cloth).brightness(0.92).within(body));
    parts.push(Part::seam(
        Line::from(0.5 - neck, top + 0.02)
            .curve((0.5 - neck * 0.8, top + 0.13), (0.5 + neck * 0.8, top + 0.13), (0.5 + neck, top + 0.02))
            .stroke(0.009),
    ));
    let pocket_top = hem - 0.27;
    let pocket =
        Line::from(0.5, pocket_top).to(0.4, pocket_top).to(0.34, pocket_top + 0.13).to(0.34, hem - 0.06).to(0.5, hem - 0.06).mirrored();
    if shape.style == 2 {
        // A zip instead of an undivided front.
        parts.push(Part::new(Path::rect(0.494, top + 0.09, 0.506, hem), Paint::Detail, Finish::Flat));
        parts.push(Part::seam(Path::rect(0.487, top + 0.09, 0.49, hem)));
        parts.push(Part::seam(Path::rect(0.51, top + 0.09, 0.513, hem)));
    } else {
        parts.push(Part::shadow(pocket.clone().moved(0.0, 0.004), 0.3));
        parts.push(Part::new(pocket, Paint::Print, Finish::Cloth).brightness(1.03));
    }
    if shape.extras[1] {
        for side in [-1.0, 1.0_f32] {
            let x = 0.5 + side * 0.04;
            let cord = Line::from(x, top + 0.09).bend((x + side * 0.015, top + 0.15), (x + side * 0.005, top + 0.24)).stroke(0.011);
            parts.push(Part::new(cord, Paint::Detail, Finish::Flat));
            parts.push(Part::new(Path::circle(x + side * 0.005, top + 0.245, 0.011), Paint::Detail, Finish::Flat).brightness(0.8));
        }
    }
    parts
}

pub(crate) fn dress(shape: &Shape) -> Vec<Part> {
    let (top, hem) = (0.14, shape.measure(0, 0.82, 0.93));
    let shoulder = shape.measure(1, 0.14, 0.175);
    let waist_y = shape.measure(2, 0.42, 0.5);
    let waist = shape.measure(3, 0.1, 0.13);
    let flare = match shape.style {
        0 => shape.measure(4, 0.26, 0.36),
        1 => shape.measure(4, 0.17, 0.22),
        _ => shape.measure(4, 0.22, 0.3),
    };
    let mut parts = vec![];
    let sleeved = shape.style == 1;
    if sleeved {
        let sleeve = Sleeve { shoulder: (0.5 - shoulder + 0.012, top + 0.035), length: 0.15, angle: 0.9, wide: 0.13, cuff: 0.1 };
        parts.extend(sleeve.parts(Paint::Print, Some((Paint::Accent, 0.12))));
    }
    let skirt = Line::from(0.5, waist_y - 0.01)
        .to(0.5 - waist, waist_y - 0.01)
        .curve((0.5 - waist - 0.03, waist_y + 0.12), (0.5 - flare * 0.9, hem - 0.16), (0.5 - flare, hem - 0.03))
        .bend((0.5 - flare * 0.5, hem + 0.015), (0.5, hem + 0.015))
        .mirrored();
    parts.push(Part::new(skirt.clone(), Paint::Print, Finish::Cloth));
    for i in -2..=2_i32 {
        let t = i as f32 / 2.6;
        let fold = Line::from(0.5 + t * waist, waist_y)
            .bend((0.5 + t * (waist + flare) * 0.5, waist_y + 0.2), (0.5 + t * flare, hem))
            .stroke(0.01);
        parts.push(Part::shadow(fold, 0.08).within(skirt.clone()));
    }
    if shape.extras[1] {
        parts.push(Part::new(Path::rect(0.0, hem - 0.055, 1.0, 1.0), Paint::Accent, Finish::Cloth).within(skirt));
    }
    let strappy = shape.style == 2;
    let bodice_top = if strappy { top + 0.1 } else { top };
    let neck = if strappy { shoulder * 0.86 } else { 0.075 };
    let bodice = Line::from(0.5, bodice_top + 0.01)
        .to(0.5 - neck, bodice_top)
        .to(0.5 - shoulder, bodice_top + if strappy { 0.015 } else { 0.04 })
        .curve((0.5 - shoulder + 0.03, bodice_top + 0.1), (0.5 - waist - 0.02, waist_y - 0.1), (0.5 - waist, waist_y))
        .to(0.5, waist_y)
        .mirrored();
    if strappy {
        for side in [-1.0, 1.0_f32] {
            let strap =
                Line::from(0.5 + side * shoulder * 0.72, bodice_top + 0.03).to(0.5 + side * shoulder * 0.5, top - 0.02).stroke(0.022);
            parts.push(Part::new(strap, Paint::Print, Finish::Cloth));
        }
    }
    parts.push(Part::new(bodice, Paint::Print, Finish::Cloth).brightness(1.02));
    if !strappy {
        parts.extend(collar(neck, bodice_top, shape.measure(4, 0.05, 0.1), shape.style == 0, Paint::Main));
    }
    let belt = if shape.extras[0] { Paint::Detail } else { Paint::Main };
    parts.push(
        Part::new(Path::rounded(0.5 - waist - 0.006, waist_y - 0.022, 0.5 + waist + 0.006, waist_y + 0.016, 0.008), belt, Finish::Cloth)
            .brightness(0.85),
    );
    parts
}
