//! XML documents within bounds, whose entities are never expanded.

use roxmltree::{Document, Node, ParsingOptions};

use super::draft::bounded;
use super::error::{FormPlace, FormProblem, FormReadError};

/// Elements, attributes and pieces of text; beyond it the document is refused before it takes memory.
const MAX_NODES: u32 = 100_000;

/// Whether a document may begin with a document type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DocumentType {
    Refused,
    /// As Apple's property lists have one; it may declare no entities.
    WithoutEntities,
}

pub(super) fn parse(
    text: &str,
    document_type: DocumentType,
) -> Result<Document<'_>, FormReadError> {
    let text = bounded(text)?;
    if let Some((before, _)) = text.split_once("<!ENTITY") {
        return Err(FormProblem::Entities.at(place_after(before)));
    }
    let options = ParsingOptions {
        allow_dtd: document_type == DocumentType::WithoutEntities,
        nodes_limit: MAX_NODES,
        ..ParsingOptions::default()
    };
    Document::parse_with_options(text, options).map_err(|error| {
        let position = error.pos();
        let place = FormPlace::Position {
            line: position.row,
            column: position.col,
        };
        let limit = usize::try_from(MAX_NODES).unwrap_or(usize::MAX);
        match error {
            roxmltree::Error::NodesLimitReached => {
                let what = "elements";
                FormProblem::TooMany { what, limit }.at(FormPlace::Whole)
            }
            error => FormProblem::syntax(error).at(place),
        }
    })
}

/// Where an element begins.
pub(super) fn place(node: Node<'_, '_>) -> FormPlace {
    let position = node.document().text_pos_at(node.range().start);
    FormPlace::Position {
        line: position.row,
        column: position.col,
    }
}

/// The elements within it.
pub(super) fn elements<'a, 'i: 'a>(node: Node<'a, 'i>) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(Node::is_element)
}

/// The text of an element that holds nothing else, trimmed; comments are none of it.
pub(super) fn text_of(node: Node<'_, '_>, expected: &'static str) -> Result<String, FormReadError> {
    if let Some(inner) = elements(node).next() {
        let problem = FormProblem::unexpected(inner.tag_name().name(), expected);
        return Err(problem.at(place(inner)));
    }
    let pieces = node.children().filter(Node::is_text);
    let text: String = pieces.filter_map(|piece| piece.text()).collect();
    let text = text.trim();
    if text.is_empty() {
        return Err(FormProblem::Missing { what: expected }.at(place(node)));
    }
    Ok(text.to_owned())
}

fn place_after(before: &str) -> FormPlace {
    let line = before.split('\n').count();
    let column = before.rsplit('\n').next().map_or(0, |l| l.chars().count());
    FormPlace::Position {
        line: u32::try_from(line).unwrap_or(u32::MAX),
        column: u32::try_from(column.saturating_add(1)).unwrap_or(u32::MAX),
    }
}
