//! `#[udf]` makes a function of SQL of a Rust function. A source that uses it compiles for Arroyo too: it says
//! `use arroyo_udf_plugin::udf`, and in this workspace that is this crate.

use proc_macro2::TokenStream;
use quote::quote;
use syn::spanned::Spanned;
use syn::{Error, FnArg, GenericArgument, ItemFn, PathArguments, Result, ReturnType, Type};

/// Puts `pub(super) fn register(functions: &mut chimera_sql::Functions)` beside the function: a file has one.
///
/// The function takes `bool`, `i8` to `i64`, `u8` to `u64`, `f32`, `f64`, `&str` or `&[u8]`, or `Option`s of them, and gives one of them
/// (of the last two `String` and `Vec<u8>`), or an `Option` of it. It is not called for a row with NULL where it takes no `Option`:
/// the result is NULL. One that takes `Vec`s of numbers is an aggregate: each has the values of a column in all rows of the group, without
/// the NULLs unless it is a `Vec<Option<…>>`.
///
/// # Errors
/// What is no such function does not compile.
#[proc_macro_attribute]
pub fn udf(options: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let function = syn::parse_macro_input!(item as ItemFn);
    expand(&options.into(), &function).unwrap_or_else(Error::into_compile_error).into()
}

/// What a parameter says of its column.
enum Parameter {
    /// A value, which is not NULL.
    Value(Type),
    ValueOrNull(Type),
    /// The values of a group.
    Values(Type),
    ValuesAndNulls(Type),
}

impl Parameter {
    fn of(parameter: &FnArg) -> Result<Self> {
        let FnArg::Typed(typed) = parameter else {
            return Err(Error::new(parameter.span(), "a function of SQL has no self"));
        };
        Ok(match (within("Option", &typed.ty), within("Vec", &typed.ty)) {
            (Some(value), _) => Self::ValueOrNull(value),
            (_, Some(item)) => match within("Option", &item) {
                Some(value) => Self::ValuesAndNulls(value),
                None => Self::Values(item),
            },
            _ => Self::Value((*typed.ty).clone()),
        })
    }

    fn value(&self) -> &Type {
        match self {
            Self::Value(value) | Self::ValueOrNull(value) | Self::Values(value) | Self::ValuesAndNulls(value) => value,
        }
    }

    fn is_of_group(&self) -> bool {
        matches!(self, Self::Values(_) | Self::ValuesAndNulls(_))
    }

    /// The argument, of `columns[position]` and, if it is a value, of `row`.
    fn argument(&self, position: usize) -> TokenStream {
        match self {
            Self::Value(value) => quote!(<#value as Argument>::at(&columns[#position], row)?),
            Self::ValueOrNull(value) => quote!(<#value as Argument>::at(&columns[#position], row)),
            Self::Values(value) => quote!(all::<#value>(&columns[#position]).flatten().collect()),
            Self::ValuesAndNulls(value) => quote!(all::<#value>(&columns[#position]).collect()),
        }
    }
}

/// `T` of `name<T>`.
fn within(name: &str, outer: &Type) -> Option<Type> {
    let Type::Path(path) = outer else { return None };
    let last = path.path.segments.last().filter(|segment| segment.ident == name)?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match arguments.args.first() {
        Some(GenericArgument::Type(inner)) => Some(inner.clone()),
        _ => None,
    }
}

fn expand(options: &TokenStream, function: &ItemFn) -> Result<TokenStream> {
    let signature = &function.sig;
    if let Some(word) = &signature.asyncness {
        return Err(Error::new(word.span(), "a function is computed at once: one that waits for something else is a lookup table"));
    }
    if !options.is_empty() {
        return Err(Error::new(options.span(), "there are no options"));
    }
    let ReturnType::Type(_, returned) = &signature.output else {
        return Err(Error::new(signature.span(), "a function of SQL gives a value"));
    };
    let parameters = signature.inputs.iter().map(Parameter::of).collect::<Result<Vec<_>>>()?;
    let is_aggregate = parameters.iter().any(Parameter::is_of_group);
    if is_aggregate && !parameters.iter().all(Parameter::is_of_group) {
        return Err(Error::new(signature.inputs.span(), "an aggregate takes each column as a Vec"));
    }

    let name = &signature.ident;
    let called = name.to_string();
    let types = parameters.iter().map(Parameter::value);
    let arguments = parameters.iter().enumerate().map(|(position, parameter)| parameter.argument(position));
    let call = quote!(#name(#(#arguments),*));
    let (returned, call) = match within("Option", returned) {
        Some(value) => (value, call),
        None => ((**returned).clone(), quote!(Some(#call))),
    };
    let (register, apply) = match is_aggregate {
        true => (quote!(register_aggregate), quote!(of_group::<#returned>(|| #call))),
        false => (quote!(register), quote!(of_rows::<#returned>(columns, |row| #call))),
    };
    Ok(quote! {
        #function

        pub(super) fn register(functions: &mut ::chimera_sql::Functions) {
            #[allow(unused_imports)]
            use ::chimera_sql::udf::{Argument, Returned, all, of_group, of_rows};
            functions.#register(
                #called,
                vec![#(<#types as Argument>::DATA_TYPE),*],
                <#returned as Returned>::DATA_TYPE,
                ::std::sync::Arc::new(|columns| #apply),
            );
        }
    })
}
