//! `GET /api/v1/experiments/{key}/results`.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use rust_decimal::Decimal;
use serde::Serialize;

use super::statistics::{Interval, Proportion, Spending, sample_ratio_p_value};
use super::store::{self, ExperimentRecord};
use super::view::{self, Counts, VIEW};
use crate::api::extract::{NoQuery, Params, Path};
use crate::api::freshness::{AfterQuery, Meta};
use crate::api::problem::{Problem, ProblemBody, Result, kinds};
use crate::api::state::App;

/// Numbers of subjects that fit their shares come out less likely than this once in a thousand experiments.
const SUSPICIOUS: f64 = 0.001;

#[derive(Serialize, utoipa::ToSchema)]
pub struct ExperimentResults {
    pub experiment: ExperimentRecord,
    /// The control first, then by name.
    pub variants: Vec<VariantResults>,
    /// How likely the numbers of subjects are, given the shares; `null` before there are any.
    pub sample_ratio_p_value: Option<f64>,
    /// That is below 0.001: something is wrong with who is counted, and nothing can be concluded from the rest.
    pub is_sample_ratio_suspicious: bool,
    pub meta: Meta,
}

/// Intervals are of 95 %.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = ExperimentVariant)]
pub struct VariantResults {
    pub variant: String,
    pub is_control: bool,
    pub share_bp: u16,
    /// Those who were exposed, each once.
    pub subjects: u64,
    /// Of them those who ordered within their window.
    pub converted: u64,
    pub orders: u64,
    /// Of those orders, in units of their currencies. What was taken back is not taken off.
    #[schema(value_type = String, example = "35.301")]
    pub revenue: Decimal,
    pub conversion: Option<Interval>,
    /// Of all who were exposed, whether they bought or not.
    pub revenue_per_subject: Option<Interval>,
    /// `null` for the control.
    pub versus_control: Option<Comparison>,
}

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = ExperimentComparison)]
pub struct Comparison {
    /// The rate here less the control's.
    pub conversion_difference: Option<Interval>,
    /// Revenue per subject here less the control's.
    pub revenue_difference: Option<Interval>,
    /// Of the difference in conversion. Good however often one looks: whoever stops when it is at or below 0.05 is misled in 5 % of the
    /// experiments at most. With several variants, compare it with 0.05 divided by the number of comparisons.
    pub sequential_p_value: f64,
}

/// What came of an experiment so far, from the live view `experiments.variants`.
#[utoipa::path(get, path = "/api/v1/experiments/{key}/results", tag = "experiments", params(("key" = String, Path), AfterQuery),
    responses((status = 200, body = ExperimentResults), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 503, body = ProblemBody), (status = 504, body = ProblemBody)))]
pub async fn experiment_results(State(app): State<App>, Path(key): Path<String>, params: Params<NoQuery>) -> Result<Response> {
    let experiment = store::find(&mut *app.databases.flags.acquire().await?, &key).await?;
    let freshness = app.fresh(&[VIEW], &params.after).await?;
    let not_ready = || Problem::new(&kinds::STORE_NOT_READY, format!("There is no view `{VIEW}` yet.")).with("store", VIEW).retry_after(2);
    let batches = app.read_views(move |views| view::read(views, &key)).await?.ok_or_else(not_ready)?;
    let counts = view::counts(&batches)?;
    let results = results(experiment, &counts, freshness.meta.clone())?;
    Ok(freshness.respond(&results))
}

fn results(experiment: ExperimentRecord, counts: &BTreeMap<String, Counts>, meta: Meta) -> Result<ExperimentResults> {
    let of = |variant: &str| counts.get(variant).copied().unwrap_or_default();
    let control = of(&experiment.control);
    let mut variants = Vec::with_capacity(experiment.shares.len());
    for (variant, share_bp) in &experiment.shares {
        let (is_control, counts) = (*variant == experiment.control, of(variant));
        variants.push(VariantResults {
            variant: variant.clone(),
            is_control,
            share_bp: *share_bp,
            subjects: counts.subjects,
            converted: counts.converted,
            orders: counts.orders,
            revenue: Decimal::try_from_i128_with_scale(counts.revenue_milli, 3).map_err(Problem::internal)?,
            conversion: counts.conversion().interval(),
            revenue_per_subject: counts.spending().interval(),
            versus_control: (!is_control).then(|| Comparison {
                conversion_difference: counts.conversion().difference(control.conversion()),
                revenue_difference: counts.spending().difference(control.spending()),
                sequential_p_value: counts.conversion().sequential_p_value(control.conversion()),
            }),
        });
    }
    // Sorted by name already.
    variants.sort_by_key(|variant| !variant.is_control);
    let seen: Vec<(u64, u16)> = variants.iter().map(|variant| (variant.subjects, variant.share_bp)).collect();
    let sample_ratio_p_value = sample_ratio_p_value(&seen);
    let is_sample_ratio_suspicious = sample_ratio_p_value.is_some_and(|p_value| p_value < SUSPICIOUS);
    Ok(ExperimentResults { experiment, variants, sample_ratio_p_value, is_sample_ratio_suspicious, meta })
}

impl Counts {
    fn conversion(self) -> Proportion {
        Proportion { of: self.subjects, did: self.converted }
    }

    fn spending(self) -> Spending {
        Spending { subjects: self.subjects, sum_milli: self.revenue_milli, squares_micro: self.squares_micro }
    }
}
