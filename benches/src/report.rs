//! Prints figures, one per line, readable by machines and by people.

/// The benchmark and the variant that a figure belongs to.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    pub bench: &'a str,
    pub variant: &'a str,
}

impl Subject<'_> {
    /// Prints one figure.
    pub fn print(self, metric: &str, value: f64, unit: &str) {
        let value = if value.abs() >= 1000.0 { format!("{value:.0}") } else { format!("{value:.2}") };
        println!("bench={} variant={} metric={metric} value={value} unit={unit}", self.bench, self.variant);
    }
}

/// Returns the median.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { f64::midpoint(values[middle - 1], values[middle]) }
}
