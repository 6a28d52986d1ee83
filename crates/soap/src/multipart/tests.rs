use proptest::prelude::*;

use super::*;

/// (Content-ID, content) of each part, pushed in pieces of `size` octets.
fn parts(boundary: &str, body: &[u8], size: usize) -> Result<Vec<(String, Vec<u8>)>, Error> {
    let mut parser = Parser::new(boundary)?;
    let mut parts: Vec<(String, Vec<u8>)> = Vec::new();
    let mut open = false;
    let mut take = |event: Event| match event {
        Event::Part(head) => {
            assert!(!open);
            open = true;
            parts.push((head.content_id().unwrap_or_default(), Vec::new()));
        }
        Event::Data(data) => {
            assert!(open && !data.is_empty());
            parts.last_mut().unwrap().1.extend_from_slice(&data);
        }
        Event::EndOfPart => {
            assert!(open);
            open = false;
        }
        Event::End => assert!(!open),
    };
    for piece in body.chunks(size) {
        parser.push(piece);
        while let Some(event) = parser.next_event()? {
            take(event);
        }
    }
    parser.finish();
    while let Some(event) = parser.next_event()? {
        take(event);
    }
    Ok(parts)
}

fn expect(boundary: &str, body: &str, expected: &[(&str, &str)]) {
    let expected: Vec<(String, Vec<u8>)> =
        expected.iter().map(|(id, content)| ((*id).to_owned(), content.as_bytes().to_vec())).collect();
    for size in 1..=body.len() {
        assert_eq!(parts(boundary, body.as_bytes(), size).as_ref(), Ok(&expected), "in pieces of {size}");
    }
}

#[test]
fn parts_come_out_whatever_the_pieces_in_which_octets_arrive() {
    let body = "--b\r\nContent-ID: <1@x>\r\nContent-Type: text/xml\r\n\r\n<a/>\r\n--b\r\nContent-ID: 2@x\r\n\r\ntwo\r\nlines\r\n\r\n--b--\r\n";
    expect("b", body, &[("1@x", "<a/>"), ("2@x", "two\r\nlines\r\n")]);
}

#[test]
fn preamble_epilogue_padding_folding_and_case_are_tolerated() {
    let body = "preamble\r\n\r\n--b \t\r\ncontent-id:\r\n <1@x>\r\nContent-Type: a/b;\r\n\tc=d\r\n\r\none\r\n--b--\r\nepilogue --b\r\n--b\r\n";
    expect("b", body, &[("1@x", "one")]);
}

#[test]
fn line_feeds_alone_no_headers_and_no_line_end_at_the_end_are_tolerated() {
    expect("b", "--b\nContent-ID: 1\n\none\n--b\n\ntwo\n--b--", &[("1", "one"), ("", "two")]);
}

#[test]
fn content_that_looks_like_a_boundary_is_content() {
    for content in ["--bx\r\n", "--b2", "-", "--"] {
        expect("b", &format!("--b\r\nContent-ID: 1\r\n\r\n{content}\r\n--b--\r\n"), &[("1", content)]);
    }
    let content = "\r\n--bx\r\n--b2\r\n-\r\n--\r\n--B\r\n--b x\r\n--b--x\r\n--b-\r\n--b---";
    let body = format!("--b\r\nContent-ID: 1\r\n\r\n{content}\r\n--b--\r\n");
    expect("b", &body, &[("1", content)]);
}

#[test]
fn empty_parts_are_parts() {
    expect(
        "b",
        "--b\r\nContent-ID: 1\r\n\r\n\r\n--b\r\nContent-ID: 2\r\n\r\n--b--\r\n",
        &[("1", ""), ("2", "")],
    );
}

#[test]
fn a_body_that_ends_early_is_incomplete() {
    let body = "--b\r\nContent-ID: 1\r\n\r\none\r\n--b\r\nContent-ID: 2\r\n\r\ntwo\r\n--b--";
    for length in 0..body.len() {
        assert_eq!(parts("b", &body.as_bytes()[..length], 7), Err(Error::Incomplete), "cut at {length}");
    }
    assert_eq!(parts("b", body.as_bytes(), 7).unwrap().len(), 2);
}

#[test]
fn heads_are_bounded() {
    let body = format!("--b\r\nX: {}", "x".repeat(LONGEST_HEAD));
    assert_eq!(parts("b", body.as_bytes(), 1000), Err(Error::HeadTooLong));
}

#[test]
fn a_boundary_that_no_header_can_hold_is_refused() {
    for boundary in ["", "a\r\nb", &"x".repeat(LONGEST_BOUNDARY + 1)] {
        assert_eq!(Parser::new(boundary).err(), Some(Error::Boundary), "{boundary:?}");
    }
}

#[test]
fn memory_does_not_follow_the_size_of_a_part() {
    let mut parser = Parser::new("b").unwrap();
    parser.push(b"--b\r\nContent-ID: 1\r\n\r\n");
    let chunk = vec![b'\r'; 64 << 10];
    for _ in 0..100 {
        parser.push(&chunk);
        while parser.next_event().unwrap().is_some() {}
        assert!(parser.buffer.len() <= 64, "{} octets are held", parser.buffer.len());
    }
}

/// Lines that look like boundaries more often than chance would make them.
fn content() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::sample::select(vec!["\r", "\n", "-", "--", "b", "--b", " ", "x", "\0"]);
    prop::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat().into_bytes())
}

fn has_boundary(content: &[u8]) -> bool {
    // As the first line of a part, and with the line end that follows the part.
    let text = format!("\n{}\r\n", String::from_utf8_lossy(content));
    let text = text.replace(['\r', ' '], "");
    text.contains("\n--b\n") || text.contains("\n--b--\n")
}

proptest! {
    #[test]
    fn any_content_without_the_boundary_comes_out_as_it_went_in(
        contents in prop::collection::vec(content(), 1..4),
        size in 1_usize..50,
    ) {
        prop_assume!(!contents.iter().any(|content| has_boundary(content)));
        let mut body = Vec::new();
        for content in &contents {
            body.extend_from_slice(b"--b\r\n\r\n");
            body.extend_from_slice(content);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--b--");
        let read: Vec<Vec<u8>> = parts("b", &body, size).unwrap().into_iter().map(|(_, content)| content).collect();
        prop_assert_eq!(read, contents);
    }

    #[test]
    fn no_octets_make_the_parser_fail_otherwise_than_by_an_error(body in prop::collection::vec(content(), 0..10)) {
        let _ = parts("b", &body.concat(), 3);
    }
}
