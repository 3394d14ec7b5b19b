//! Badges: the one number a README wants, as SVG and PNG.

use dashboard_api::factor;
use dashboard_charts::{Badge, Ink, png, svg};

use crate::PageError;
use crate::context::{Context, Readings};
use crate::library::percent_of;
use crate::site::File;

/// Names of the badges; each is there as `badges/NAME.svg` and `badges/NAME.png`.
pub(crate) const NAMES: [&str; 2] = ["speedup", "library"];

/// The badge of `name`; what is not known yet reads `unknown`.
pub(crate) fn badge(context: &Context<'_>, name: &str) -> Result<Badge, PageError> {
    let (label, value) = if name == "speedup" {
        speedup(context)?
    } else {
        library(context)?
    };
    let ink = if value.is_some() {
        Ink::Series(2)
    } else {
        Ink::Muted
    };
    Ok(Badge {
        label,
        value: value.unwrap_or_else(|| "unknown".to_owned()),
        ink,
    })
}

/// The file `badges/NAME.KIND`, where KIND is `svg` or `png`.
pub(crate) fn file(context: &Context<'_>, name: &str, kind: &str) -> Result<File, PageError> {
    let badge = badge(context, name)?;
    Ok(match kind {
        "png" => File {
            mime: "image/png",
            bytes: png(&badge, 0)?,
        },
        _ => File {
            mime: "image/svg+xml",
            bytes: svg(&badge, 0)?.into_bytes(),
        },
    })
}

fn speedup(context: &Context<'_>) -> Result<(String, Option<String>), PageError> {
    let (Some(mode), Some(baseline)) = (context.main_mode(), context.baselines().next()) else {
        return Ok(("speed-up".to_owned(), None));
    };
    let readings = Readings::new(context.source.recent_cells(&context.scope, 1)?);
    let mean = readings.positions().last().and_then(|&position| {
        readings
            .over_baseline(&context.benchmarks, &mode.name, position, &baseline.name)
            .ok()
    });
    Ok((
        format!("speed v. {}", baseline.name),
        mean.map(|g| factor(g.ratio.point)),
    ))
}

fn library(context: &Context<'_>) -> Result<(String, Option<String>), PageError> {
    let label = "CPython tests".to_owned();
    let Some(&position) = context.source.library_positions(&context.scope)?.last() else {
        return Ok((label, None));
    };
    let report = context.source.library(&context.scope, position)?;
    let score = report
        .zip(context.main_mode())
        .map(|(report, mode)| report.score(&mode.name));
    Ok((label, score.filter(|s| s.reference > 0).map(percent_of)))
}
