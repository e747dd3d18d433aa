//! Peers that never proved that they have their key change nothing: a verifier that meets them too
//! tells of the others, and lets them resume, as one that does not.

use std::sync::Arc;

use notafter::{Event, EventCode, Timestamp};

use super::client_sessions::{Client, Handshake};
use super::ground::play;
use super::inner::{Knowledge, PROOF};
use super::pins::Pinning;
use super::question::{Question, Walk};
use super::server_sessions::{Server, session};
use super::setup::{Setup, Shape};
use crate::support::graph::Dice;
use crate::support::tls::{Recorder, SetTime};

const STEPS: u32 = 40;
const NO_PROOF: &[u8] = b"somebody else's";

/// What is told of peers that are accepted.
const OF_ACCEPTED: [EventCode; 8] = [
    EventCode::PeerExpiring,
    EventCode::PeerRecovered,
    EventCode::PinReportOnly,
    EventCode::PinBackupMatched,
    EventCode::PinSuccessorSeen,
    EventCode::PinOnlyOneUsable,
    EventCode::PinSetEndsFirst,
    EventCode::PinNoSuccessor,
];

fn told(recorder: &Recorder) -> Vec<Event> {
    let mut events = recorder.take();
    events.retain(|event| OF_ACCEPTED.contains(&event.code));
    events
}

/// rustls asks about the certificates; the signature is never seen, or does not fit.
fn meet_without_a_key(
    dice: &mut Dice,
    setup: &Setup,
    verifier: &notafter::WatchingServerVerifier,
    now: Timestamp,
) -> Option<Question> {
    let question = Question::any(dice, setup).with_known_name();
    question.of_servers(verifier, now).ok()?;
    if dice.below(2) == 0 {
        assert!(!question.prove_server(verifier, NO_PROOF));
    }
    Some(question)
}

#[test]
fn nothing_is_told_of_servers_without_their_key() {
    events_of_the_unproven("events of the unproven", Pinning::Scopes);
}

#[test]
fn nothing_is_told_of_identities_without_their_key() {
    events_of_the_unproven("identities of the unproven", Pinning::Identities);
}

fn events_of_the_unproven(name: &str, pinning: Pinning) {
    let shape = Shape {
        pinning: Some(pinning),
        grace: true,
        ..Shape::PLAIN
    };
    let findings = play(name, 2, |seed, dice, findings| {
        let setup = Setup::any(seed, dice, shape).with_room();
        let recorders = [(); 2].map(|()| Arc::new(Recorder::default()));
        let [plagued, spared] = recorders
            .each_ref()
            .map(|recorder| setup.observed_by(recorder.clone()).servers());
        let mut walk = Walk::start(dice, &setup);
        for step in 0..STEPS {
            let now = walk.step(dice, &setup);
            findings.asked += 1;
            if dice.below(12) == 0 {
                setup.change_pins(dice);
            }
            for _ in 0..dice.below(3) {
                if let Some(question) = meet_without_a_key(dice, &setup, &plagued, now) {
                    let events = told(&recorders[0]);
                    if let Some(event) = events.first() {
                        let name = question.name;
                        findings.wrong(seed, format!("step {step}: told of {name}: {event}"));
                    }
                }
            }
            let question = Question::any(dice, &setup);
            let answers = [&plagued, &spared].map(|verifier| {
                let answer = question.of_servers(&**verifier, now);
                answer.is_ok() && question.prove_server(&**verifier, PROOF)
            });
            let [with, without] = recorders.each_ref().map(|recorder| told(recorder));
            findings.could += 1;
            findings.passed += u64::from(!without.is_empty());
            if answers == [true, true] && with != without {
                let lines = |events: &[Event]| {
                    format!(
                        "{:?}",
                        events.iter().map(ToString::to_string).collect::<Vec<_>>()
                    )
                };
                let (with, without) = (lines(&with), lines(&without));
                findings.wrong(
                    seed,
                    format!("step {step} at {now}: told {with:.300}, not {without:.300}"),
                );
            }
        }
    });
    findings.at_least_one_in(100);
}

#[test]
fn servers_without_their_key_end_no_resumption() {
    let shape = Shape {
        grace: true,
        knowledge: &[Knowledge::Same, Knowledge::Lists],
        may_lack_anchors: true,
        ..Shape::PLAIN
    };
    let findings = play("unproven servers", 2, |seed, dice, findings| {
        let setup = Setup::any(seed, dice, shape).with_room();
        let mut walk = Walk::start(dice, &setup);
        let clock = SetTime::at(walk.now);
        let [plagued, spared] = [(); 2].map(|()| Client::new(setup.servers(), &clock));
        let mut number = 0;
        for step in 0..STEPS {
            let now = walk.step(dice, &setup);
            clock.set(now);
            findings.asked += 1;
            for _ in 0..dice.below(3) {
                meet_without_a_key(dice, &setup, &plagued.verifier, now);
            }
            let question = Question::any(dice, &setup).with_known_name();
            if dice.below(2) == 0 {
                number += 1;
                for client in [&plagued, &spared] {
                    let answer = question.of_servers(&*client.verifier, now);
                    if answer.is_ok() && question.prove_server(&*client.verifier, PROOF) {
                        client.store(number, &Handshake { question, epoch: 0 });
                    }
                }
                continue;
            }
            let [with, without] = [&plagued, &spared].map(|client| client.resume(question.name));
            findings.could += 1;
            findings.passed += u64::from(without.is_some());
            if with != without {
                let name = question.name;
                findings.wrong(
                    seed,
                    format!("step {step} at {now}, {name}: resumed {with:?}, not {without:?}"),
                );
            }
        }
    });
    findings.at_least_one_in(12);
}

#[test]
fn clients_without_their_key_end_no_others_sessions() {
    let shape = Shape {
        grace: true,
        may_lack_anchors: true,
        ..Shape::PLAIN
    };
    let findings = play("unproven clients", 2, |seed, dice, findings| {
        let setup = Setup::any(seed, dice, shape).with_room();
        let mut walk = Walk::start(dice, &setup);
        let clock = SetTime::at(walk.now);
        let [plagued, spared] = [(); 2].map(|()| Server::new(&setup, &clock));
        let mut stored = Vec::new();
        for step in 0..STEPS {
            let now = walk.step(dice, &setup);
            clock.set(now);
            findings.asked += 1;
            for _ in 0..dice.below(3) {
                let question = Question::any(dice, &setup);
                let verified = question.of_clients(&*plagued.verifier, now);
                if verified.is_ok() && dice.below(2) == 0 {
                    assert!(!question.prove_client(&*plagued.verifier, NO_PROOF));
                }
            }
            let question = Question::any(dice, &setup);
            if dice.below(2) == 0 {
                let bytes = session(&question, now);
                // The same choice between store and ticket for both.
                let choice = dice.below(u64::MAX);
                let handles = [&plagued, &spared].map(|server| {
                    question.of_clients(&*server.verifier, now).ok()?;
                    assert!(question.prove_client(&*server.verifier, PROOF));
                    server.store(stored.len(), &bytes, &mut Dice::new(choice))
                });
                stored.push(handles);
                continue;
            }
            if stored.is_empty() {
                continue;
            }
            let [with, without] = dice.pick(&stored);
            let choice = dice.below(u64::MAX);
            let opened = [(&plagued, with), (&spared, without)].map(|(server, handle)| {
                let handle = handle.as_ref()?;
                server.open(handle, &mut Dice::new(choice))
            });
            let [with, without] = opened.map(|opened| opened.is_some());
            findings.could += 1;
            findings.passed += u64::from(without);
            if with != without {
                findings.wrong(
                    seed,
                    format!("step {step} at {now}: opened {with}, not {without}"),
                );
            }
        }
    });
    findings.at_least_one_in(12);
}
