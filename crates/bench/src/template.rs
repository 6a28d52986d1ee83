//! Prebuilt messages: octets with holes of fixed width, so that a new message costs a copy and a few short writes.

use memchr::memmem;

/// Octets in which some texts, each of its own width, are to be replaced.
#[derive(Debug, Clone)]
pub struct Template {
    octets: Vec<u8>,
    /// Which value goes where.
    holes: Vec<(usize, usize)>,
    widths: Vec<usize>,
}

impl Template {
    /// `placeholders` stand where values go: the n-th for the n-th value, as often as it occurs.
    pub fn new(octets: impl Into<Vec<u8>>, placeholders: &[&str]) -> Template {
        let octets = octets.into();
        let mut holes = Vec::new();
        for (value, placeholder) in placeholders.iter().enumerate() {
            holes.extend(memmem::find_iter(&octets, placeholder).map(|at| (at, value)));
        }
        Template { octets, holes, widths: placeholders.iter().map(|placeholder| placeholder.len()).collect() }
    }

    /// Appends the message with these values to `out`. A value of another width than its placeholder is cut, or leaves
    /// the end of the placeholder standing: callers give values of the right width.
    pub fn fill(&self, values: &[&str], out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&self.octets);
        for (at, value) in &self.holes {
            let (Some(value), Some(width)) = (values.get(*value), self.widths.get(*value)) else { continue };
            debug_assert_eq!(value.len(), *width, "{value}");
            let end = start + at + value.len().min(*width);
            if let Some(hole) = out.get_mut(start + at..end) {
                hole.copy_from_slice(value.as_bytes().get(..hole.len()).unwrap_or_default());
            }
        }
    }

    pub fn filled(&self, values: &[&str]) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.octets.len());
        self.fill(values, &mut out);
        out
    }

    pub fn len(&self) -> usize {
        self.octets.len()
    }

    pub fn is_empty(&self) -> bool {
        self.octets.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_of_a_placeholder_gets_its_value() {
        let template = Template::new("a=XX b=YYY c=XX", &["XX", "YYY"]);
        assert_eq!(template.filled(&["12", "345"]), b"a=12 b=345 c=12");
        let mut out = b"before ".to_vec();
        template.fill(&["98", "765"], &mut out);
        assert_eq!(out, b"before a=98 b=765 c=98");
    }
}
