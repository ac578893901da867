//! Reads the protobuf wire format as far as an operation's envelope needs it
//! ([encoding](https://protobuf.dev/programming-guides/encoding/)).
//!
//! Fields are found, not decoded, so that payloads borrow their bytes from the reply.

/// How deep groups may nest. Groups are read recursively: without a limit, a reply of nested groups
/// would overflow the stack.
const MOST_GROUPS: u32 = 64;

/// The bytes are not a protobuf message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// One field of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    Varint(u64),
    Bytes(&'a [u8]),
    /// A fixed-width number or a group. An envelope has neither, so their contents are skipped.
    Other,
}

/// The fields of a message, read one at a time in wire order.
pub(crate) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    pub(crate) fn of(message: &'a [u8]) -> Self {
        Self(message)
    }

    /// Returns the number and value of the next field, or `None` at the end of the message.
    pub(crate) fn next(&mut self) -> Result<Option<(u32, Value<'a>)>, Malformed> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let (number, wire_type) = self.tag()?;
        self.value(number, wire_type, 0).map(|value| Some((number, value)))
    }

    fn tag(&mut self) -> Result<(u32, u64), Malformed> {
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).map_err(|_| Malformed)?;
        if number == 0 { Err(Malformed) } else { Ok((number, tag & 7)) }
    }

    fn value(&mut self, number: u32, wire_type: u64, depth: u32) -> Result<Value<'a>, Malformed> {
        match wire_type {
            0 => self.varint().map(Value::Varint),
            1 => self.take(8).map(|_| Value::Other),
            2 => {
                let length = usize::try_from(self.varint()?).map_err(|_| Malformed)?;
                self.take(length).map(Value::Bytes)
            }
            // A group has no length. It ends at the end tag (wire type 4) with its own field
            // number, so its fields must be walked.
            3 if depth < MOST_GROUPS => loop {
                match self.tag()? {
                    (end, 4) if end == number => break Ok(Value::Other),
                    (_, 4) => break Err(Malformed),
                    (inner, wire_type) => self.value(inner, wire_type, depth + 1).map(drop)?,
                }
            },
            5 => self.take(4).map(|_| Value::Other),
            _ => Err(Malformed),
        }
    }

    fn varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0;
        for shift in (0..70).step_by(7) {
            let (byte, rest) = self.0.split_first().ok_or(Malformed)?;
            self.0 = rest;
            let bits = u64::from(byte & 0x7f);
            // Nine bytes hold 63 bits, so the tenth may add only one. More would be shifted out
            // unnoticed.
            if shift == 63 && bits > 1 {
                return Err(Malformed);
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Malformed)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Malformed)?;
        self.0 = rest;
        Ok(taken)
    }
}

/// Merges the value of a message field that occurs again. The wire format defines two encodings in
/// a row as the merged message, so appending the later one is enough.
///
/// Appends in place: copying what is known at every occurrence would make a message of many small
/// occurrences, all of which a server may send, take the square of its length to read.
#[cfg(feature = "grpc")]
pub(crate) fn merge<'a>(known: Option<std::borrow::Cow<'a, [u8]>>, more: &'a [u8]) -> std::borrow::Cow<'a, [u8]> {
    match known {
        None => more.into(),
        Some(known) => {
            let mut merged = known.into_owned();
            merged.extend_from_slice(more);
            merged.into()
        }
    }
}

/// A `google.protobuf.Any`: a type URL and the encoded message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Any<'a> {
    pub(crate) type_url: &'a str,
    pub(crate) value: &'a [u8],
}

impl<'a> Any<'a> {
    pub(crate) fn of(message: &'a [u8]) -> Result<Self, Malformed> {
        let mut any = Self::default();
        let mut fields = Fields::of(message);
        while let Some(field) = fields.next()? {
            match field {
                (1, Value::Bytes(url)) => any.type_url = std::str::from_utf8(url).map_err(|_| Malformed)?,
                (2, Value::Bytes(value)) => any.value = value,
                (1 | 2, _) => return Err(Malformed),
                // Unknown fields are legal: a newer server may send them.
                _ => {}
            }
        }
        Ok(any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(mut bytes: &[u8]) -> Result<Vec<(u32, Value<'_>)>, Malformed> {
        let mut fields = Fields::of(std::mem::take(&mut bytes));
        std::iter::from_fn(|| fields.next().transpose()).collect()
    }

    #[test]
    fn every_wire_type_is_passed_over_and_the_rest_is_read() {
        // 1: varint 150, 2: "hi", 3: fixed64, 4: fixed32, 5: a group that holds a varint and a
        // group, 6: varint 1.
        let bytes = b"\x08\x96\x01\x12\x02hi\x19\0\0\0\0\0\0\0\0\x25\0\0\0\0\x2b\x08\x01\x33\x34\x2c\x30\x01";
        let expected = [
            (1, Value::Varint(150)),
            (2, Value::Bytes(b"hi")),
            (3, Value::Other),
            (4, Value::Other),
            (5, Value::Other),
            (6, Value::Varint(1)),
        ];
        assert_eq!(read(bytes).unwrap(), expected);
    }

    #[test]
    fn malformed_messages_are_refused() {
        let endless_groups = vec![0x0b; 10_000];
        let cases: [&[u8]; 9] = [
            b"\x08",                                         // a field without a value
            b"\x12\x05hi",                                   // a length beyond the end
            b"\x00\x01",                                     // field number 0
            b"\x0e",                                         // wire type 6
            b"\x0c",                                         // the end of a group that never began
            b"\x0b\x14",                                     // the end of another group
            b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", // a varint of more than 64 bits
            b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", // a length of 2^64 - 1
            &endless_groups,
        ];
        for case in cases {
            assert_eq!(read(case), Err(Malformed), "{case:x?}");
        }
    }
}
