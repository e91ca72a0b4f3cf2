//! Functions that a program declares: calls of them are replaced by their bodies, before anything is planned.

use super::context::Context;
use super::declare;
use crate::dialect::{CreateFunction, Name};
use crate::error::Position;
use datafusion::sql::sqlparser::ast::{
    CastKind, DataType as SqlType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Query, Spanned, VisitMut, VisitorMut,
    visit_expressions,
};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// Place, message and help.
type Problem = (Position, String, String);

/// The functions declared so far, by name. Their bodies call no other ones: those are in them.
#[derive(Default)]
pub(super) struct SqlFunctions(BTreeMap<String, CreateFunction>);

impl SqlFunctions {
    /// Takes in a function; its body may call those before it.
    pub fn declare(&mut self, function: &CreateFunction, context: &Context) -> Result<(), Problem> {
        let mut function = function.clone();
        let Name { text: name, at } = function.name.clone();
        let is_known = context.state.scalar_functions().contains_key(&name) || context.state.aggregate_functions().contains_key(&name);
        if is_known || self.0.contains_key(&name) {
            return Err((at, format!("there is a function `{name}` already"), "give one of them another name".into()));
        }
        let unknown = visit_expressions(&function.body, |expr| {
            let place = expr.span().start.into();
            let column = match expr {
                Expr::Identifier(column) => Name::from(column.clone()).text,
                Expr::CompoundIdentifier(parts) => parts.iter().map(ToString::to_string).collect::<Vec<_>>().join("."),
                Expr::Subquery(_) | Expr::Exists { .. } | Expr::InSubquery { .. } => {
                    let help = "make the query a view, and join with it where the function is called";
                    return ControlFlow::Break((place, format!("function `{name}` has a query in it"), help.to_string()));
                }
                _ => return ControlFlow::Continue(()),
            };
            if function.args.iter().any(|(arg, _)| arg.text == column) {
                return ControlFlow::Continue(());
            }
            let known: Vec<&str> = function.args.iter().map(|(arg, _)| arg.text.as_str()).collect();
            let help = if known.is_empty() { "declare it between the brackets".into() } else { format!("it has {}", known.join(", ")) };
            ControlFlow::Break((place, format!("function `{name}` has no argument `{column}`"), help))
        });
        if let ControlFlow::Break(problem) = unknown {
            return Err(problem);
        }
        self.expand_in(&mut function.body)?;
        self.0.insert(name, function);
        Ok(())
    }

    /// Replaces the calls in a query.
    pub fn expand(&self, query: &mut Query) -> Result<(), Problem> {
        self.expand_in(query)
    }

    fn expand_in(&self, node: &mut impl VisitMut) -> Result<(), Problem> {
        match node.visit(&mut Calls(self)) {
            ControlFlow::Break(problem) => Err(problem),
            ControlFlow::Continue(()) => Ok(()),
        }
    }

    /// What a call stands for, if it is one of these functions'.
    fn body(&self, call: &Function) -> Result<Option<Expr>, Problem> {
        let Some(function) = self.0.get(&declare::plain(&call.name)) else { return Ok(None) };
        let plain = |arg: &FunctionArg| match arg {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr.clone()),
            _ => None,
        };
        let given = match &call.args {
            FunctionArguments::List(list) if call.over.is_none() && call.filter.is_none() => list.args.iter().map(plain).collect(),
            _ => None,
        };
        let given: Vec<Expr> = given.unwrap_or_default();
        if given.len() != function.args.len() {
            let message = format!("function `{}` takes {} arguments, found {}", function.name.text, function.args.len(), given.len());
            let args: Vec<String> = function.args.iter().map(|(name, sql_type)| format!("{} {sql_type}", name.text)).collect();
            return Err((call.span().start.into(), message, format!("it is {}({})", function.name.text, args.join(", "))));
        }
        let of_arguments = |expr: &Expr| match expr {
            Expr::Identifier(column) => {
                let name = Name::from(column.clone()).text;
                let place = function.args.iter().position(|(arg, _)| arg.text == name);
                place.and_then(|place| given.get(place)).map_or(1, nodes)
            }
            _ => 1,
        };
        if sum(&function.body, of_arguments) > MOST_NODES {
            let message =
                format!("function `{}` with these arguments becomes an expression of more than {MOST_NODES} parts", function.name.text);
            return Err((call.span().start.into(), message, "compute a part of it in a view, and name its column".into()));
        }
        let mut body = function.body.clone();
        let _ = body.visit(&mut Arguments { function, given: &given });
        Ok(Some(as_type(body, &function.returns)))
    }
}

/// Parts of an expression that a call becomes, at most: each call in a call may double it.
const MOST_NODES: usize = 10_000;

fn nodes(expr: &Expr) -> usize {
    sum(expr, |_| 1)
}

/// What `of` gives for each part of `expr`, itself among them.
fn sum(expr: &Expr, of: impl Fn(&Expr) -> usize) -> usize {
    let mut sum = 0usize;
    let _ = visit_expressions(expr, |part| {
        sum = sum.saturating_add(of(part));
        ControlFlow::<()>::Continue(())
    });
    sum
}

struct Calls<'f>(&'f SqlFunctions);

impl VisitorMut for Calls<'_> {
    type Break = Problem;

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Problem> {
        let Expr::Function(call) = expr else { return ControlFlow::Continue(()) };
        match self.0.body(call) {
            Ok(Some(body)) => *expr = body,
            Ok(None) => {}
            Err(problem) => return ControlFlow::Break(problem),
        }
        ControlFlow::Continue(())
    }
}

/// Puts the given values in the place of the arguments' names, and does not look into them: their columns may have such names too.
struct Arguments<'c> {
    function: &'c CreateFunction,
    given: &'c [Expr],
}

impl VisitorMut for Arguments<'_> {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::Identifier(column) = expr {
            let name = Name::from(column.clone()).text;
            let args = self.function.args.iter().zip(self.given);
            if let Some(((_, sql_type), value)) = args.into_iter().find(|((arg, _), _)| arg.text == name) {
                *expr = as_type(value.clone(), sql_type);
            }
        }
        ControlFlow::Continue(())
    }
}

fn as_type(expr: Expr, sql_type: &SqlType) -> Expr {
    let expr = Box::new(Expr::Nested(Box::new(expr)));
    Expr::Cast { kind: CastKind::Cast, expr, data_type: sql_type.clone(), array: false, format: None }
}
