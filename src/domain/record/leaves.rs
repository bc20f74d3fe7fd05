//! Leaves as records print them: the longest part of a record, and often the same as in the one before.

use super::text::Json;
use crate::domain::cert::{Leaf, SoftetherTemplate, SoftetherVariant};
use crate::domain::fingerprint::Sha256Fingerprint;

use super::moment::Moments;

/// How many leaves are remembered; each has one place.
const PLACES: usize = 64;

/// The longest text that is remembered, in bytes: all of them together are 1 MiB at most.
const TEXT_MAX: usize = 16 * 1_024;

/// The texts of leaves printed lately, by SHA-256.
#[derive(Debug)]
pub(super) struct Leaves {
    places: Vec<(Option<Sha256Fingerprint>, String)>,
}

impl Default for Leaves {
    fn default() -> Self {
        Self { places: (0..PLACES).map(|_| (None, String::new())).collect() }
    }
}

impl Leaves {
    /// Appends `leaf` to `json`.
    pub(super) fn append(&mut self, json: &mut Json, moments: &mut Moments, leaf: &Leaf) {
        let place = usize::from(leaf.sha256.0[0]) % PLACES;
        let Some((of, text)) = self.places.get_mut(place) else {
            return append(json, moments, leaf);
        };
        if *of == Some(leaf.sha256) {
            return json.raw(text);
        }
        let start = json.0.len();
        append(json, moments, leaf);
        if let Some(printed) = json.0.get(start..).filter(|printed| printed.len() <= TEXT_MAX) {
            *of = Some(leaf.sha256);
            text.clear();
            text.push_str(printed);
        }
    }
}

fn append(json: &mut Json, moments: &mut Moments, leaf: &Leaf) {
    let says = &leaf.description;
    let text = |json: &mut Json, key: &str, value: &Option<String>| {
        json.raw(key);
        json.optional(value.as_deref(), Json::string);
    };
    json.raw("{\"sha1\":");
    json.hex(&leaf.sha1.0);
    json.raw(",\"sha256\":");
    json.hex(&leaf.sha256.0);
    json.raw(",\"spki_sha256\":");
    json.optional(leaf.spki_sha256, |json, hash| json.hex(&hash.0));
    text(json, ",\"subject\":", &says.subject);
    text(json, ",\"issuer\":", &says.issuer);
    text(json, ",\"common_name\":", &says.common_name);
    json.raw(",\"names\":");
    json.array(&says.names, |json, name| json.string(name));
    text(json, ",\"serial\":", &says.serial);
    json.raw(",\"not_before\":");
    json.optional(says.not_before, |json, time| moments.append(json, time));
    json.raw(",\"not_after\":");
    json.optional(says.not_after, |json, time| moments.append(json, time));
    text(json, ",\"key\":", &says.key);
    text(json, ",\"signature_algorithm\":", &says.signature_algorithm);
    json.raw(",\"self_signed\":");
    json.optional(says.self_signed, Json::truth);
    json.raw(",\"softether_default\":");
    json.truth(says.softether_default);
    json.raw(",\"softether\":");
    json.optional(says.softether.as_ref(), softether);
    text(json, ",\"parse_error\":", &says.parse_error);
    json.raw(",\"der\":");
    json.base64(&leaf.der);
    json.raw("}");
}

fn softether(json: &mut Json, template: &SoftetherTemplate) {
    json.raw("{");
    for (part, held) in template.parts() {
        json.word(part);
        json.raw(":");
        json.truth(held);
        json.raw(",");
    }
    json.raw("\"variant\":");
    json.optional(template.variant.map(SoftetherVariant::word), Json::word);
    json.raw("}");
}
