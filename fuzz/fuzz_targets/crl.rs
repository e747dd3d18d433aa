#![no_main]
//! Is what webpki takes for a revocation list taken, with the nextUpdate that x509-parser reads?

use libfuzzer_sys::fuzz_target;
use notafter::outlook::Usage;
use notafter::revocation::{CrlExpiration, Crls};
use notafter::{ChainJudge, Timestamp};
use notafter_fuzz::world::World;
use notafter_fuzz::{NOW, algorithms, assert_printable};
use webpki::OwnedCertRevocationList;
use x509_parser::prelude::{CertificateRevocationList, FromDer as _};

fuzz_target!(|data: &[u8]| {
    let theirs = OwnedCertRevocationList::from_der(data);
    let ours = match Crls::builder().with_der(data) {
        Ok(builder) => builder.with_expiration(CrlExpiration::Enforce).build(),
        Err(error) => {
            assert_printable(&error.to_string());
            assert_eq!(Some(error.error), theirs.err());
            return;
        }
    };
    let theirs = theirs.expect("we took it");
    let next_update = ours.next_updates().next().expect("one list");
    if let Ok((_, parsed)) = CertificateRevocationList::from_der(data) {
        let expected = parsed.next_update().map(|time| time.timestamp());
        let expected = expected.map(Timestamp::from_unix_seconds);
        assert_eq!(Some(next_update), expected);
    }
    let world = World::get();
    let chain = world.chain(0, &[4]);
    for certificate in &chain {
        use webpki::CertRevocationList;
        let list = CertRevocationList::Owned(theirs.clone());
        let facts = certificate.facts();
        let is_listed = list.issuer() == facts.issuer_der()
            && matches!(list.find_serial(facts.serial()), Ok(Some(_)));
        assert_eq!(ours.revokes(certificate), is_listed);
    }
    let judge = ChainJudge::new(world.anchors.clone(), algorithms(), Usage::ServerAuth);
    let _ = judge.with_crls(ours).report(&chain, None, NOW);
});
