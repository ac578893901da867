//! Finds files that import each other in a circle: strongly connected components, by Tarjan's
//! algorithm.

use std::collections::{BTreeMap, BTreeSet};

use super::imports::Import;

/// Returns every circle of two or more files, largest first.
pub(super) fn of(imports: &[Import]) -> Vec<Vec<String>> {
    let mut graph: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for import in imports {
        graph.entry(&import.from).or_default().insert(&import.to);
    }
    let mut search =
        Search { graph: &graph, order: BTreeMap::new(), low: BTreeMap::new(), stack: vec![], circles: vec![] };
    for file in graph.keys() {
        if !search.order.contains_key(file) {
            search.visit(file);
        }
    }
    let mut circles = search.circles;
    circles.sort_by_key(|circle| std::cmp::Reverse(circle.len()));
    circles
}

/// The state of Tarjan's algorithm.
struct Search<'a> {
    graph: &'a BTreeMap<&'a str, BTreeSet<&'a str>>,
    /// The order in which files were visited.
    order: BTreeMap<&'a str, usize>,
    /// The earliest visited file on the stack that each file can reach.
    low: BTreeMap<&'a str, usize>,
    stack: Vec<&'a str>,
    circles: Vec<Vec<String>>,
}

impl<'a> Search<'a> {
    fn visit(&mut self, file: &'a str) {
        let index = self.order.len();
        self.order.insert(file, index);
        self.low.insert(file, index);
        self.stack.push(file);
        for &next in self.graph.get(file).into_iter().flatten() {
            if !self.order.contains_key(next) {
                self.visit(next);
            }
            if self.stack.contains(&next) {
                let low = self.low[file].min(self.low[next]);
                self.low.insert(file, low);
            }
        }
        // The file reaches nothing earlier than itself: it and everything above it on the stack are
        // one component.
        if self.low[file] == index {
            let begin = self.stack.iter().position(|known| *known == file).unwrap();
            let circle: Vec<String> = self.stack.drain(begin..).map(str::to_owned).collect();
            if circle.len() > 1 {
                self.circles.push(circle);
            }
        }
    }
}
