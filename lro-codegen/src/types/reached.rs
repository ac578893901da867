//! Which JSON types methods reach, and which of them hold themselves.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Method, Model, Shape, Type, TypeId};

/// Calls `visit` with the id of each type that `ty` names.
fn named<'a>(ty: &'a Type, visit: &mut dyn FnMut(&'a TypeId)) {
    match ty {
        Type::Named(id) => visit(id),
        Type::Quoted(inner) | Type::List(inner) | Type::Map(inner) | Type::Option(inner) => named(inner, visit),
        _ => {}
    }
}

/// Returns the types that a type of the model names.
fn parts<'a>(shape: &'a Shape, visit: &mut dyn FnMut(&'a TypeId)) {
    match shape {
        Shape::Struct { fields, .. } => fields.iter().for_each(|field| named(&field.ty, visit)),
        Shape::Alias(ty) => named(ty, visit),
        Shape::Enum(_) => {}
    }
}

fn of_method<'a>(method: &'a Method, visit: &mut dyn FnMut(&'a TypeId)) {
    named(&method.response, visit);
    named(&method.metadata, visit);
    method.arguments.iter().for_each(|argument| named(&argument.ty, visit));
}

/// Returns the ids of all types that methods reach.
pub(super) fn reached(model: &Model) -> BTreeSet<&TypeId> {
    let mut reached = BTreeSet::new();
    let mut open = vec![];
    for method in model.services.iter().flat_map(|service| &service.methods) {
        of_method(method, &mut |id| open.push(id));
    }
    while let Some(id) = open.pop() {
        let Some((id, def)) = model.types.get_key_value(id) else { continue };
        if reached.insert(id) {
            parts(&def.shape, &mut |id| open.push(id));
        }
    }
    reached
}

/// Returns the pairs of a struct and a type that it holds by value and that holds it again: such a
/// field must be boxed.
///
/// Each type gets the number of the group of types that hold each other, by Tarjan's algorithm on a
/// stack of its own: descriptions may nest deeper than a thread's stack.
pub(super) fn groups<'a>(model: &'a Model, reached: &BTreeSet<&'a TypeId>) -> BTreeMap<&'a TypeId, usize> {
    let ids: Vec<&TypeId> = reached.iter().copied().collect();
    let number: BTreeMap<&TypeId, usize> = ids.iter().enumerate().map(|(number, id)| (*id, number)).collect();
    let edges: Vec<Vec<usize>> =
        ids.iter().map(|id| model.types.get(*id).map_or(vec![], |def| held(&def.shape, &number))).collect();
    let mut state = vec![Visit::default(); ids.len()];
    let (mut clock, mut stack, mut group) = (1, vec![], 0);
    for root in 0..ids.len() {
        let mut path = vec![(root, 0)];
        while let Some((node, edge)) = path.pop() {
            let Some(seen) = state.get(node).copied() else { continue };
            if edge == 0 {
                if seen.found > 0 {
                    continue;
                }
                if let Some(visit) = state.get_mut(node) {
                    *visit = Visit { found: clock, low: clock, is_open: true, group: 0 };
                }
                clock += 1;
                stack.push(node);
            }
            let next = edges.get(node).and_then(|edges| edges.get(edge)).copied();
            // Coming back from the last edge, or passing one: the lowest that can be reached.
            if let Some(last) = edge.checked_sub(1).and_then(|last| edges.get(node)?.get(last)) {
                let low = state.get(*last).filter(|visit| visit.is_open).map_or(usize::MAX, |visit| visit.low);
                if let Some(visit) = state.get_mut(node) {
                    visit.low = visit.low.min(low);
                }
            }
            if let Some(next) = next {
                path.push((node, edge + 1));
                if state.get(next).is_some_and(|visit| visit.found == 0) {
                    path.push((next, 0));
                }
                continue;
            }
            if state.get(node).is_some_and(|visit| visit.low == visit.found) {
                while let Some(member) = stack.pop() {
                    if let Some(visit) = state.get_mut(member) {
                        visit.is_open = false;
                        visit.group = group;
                    }
                    if member == node {
                        break;
                    }
                }
                group += 1;
            }
        }
    }
    ids.into_iter().zip(state).map(|(id, visit)| (id, visit.group)).collect()
}

#[derive(Clone, Copy, Default)]
struct Visit {
    /// When it was found, from 1.
    found: usize,
    low: usize,
    is_open: bool,
    group: usize,
}

/// Returns the numbers of the types that a shape holds by value: not in a list or a map.
fn held(shape: &Shape, number: &BTreeMap<&TypeId, usize>) -> Vec<usize> {
    let by_value = |mut ty: &Type| {
        while let Type::Option(inner) = ty {
            ty = inner;
        }
        match ty {
            Type::Named(id) => number.get(id).copied(),
            _ => None,
        }
    };
    match shape {
        Shape::Struct { fields, .. } => fields.iter().filter_map(|field| by_value(&field.ty)).collect(),
        Shape::Alias(ty) => by_value(ty).into_iter().collect(),
        Shape::Enum(_) => vec![],
    }
}
