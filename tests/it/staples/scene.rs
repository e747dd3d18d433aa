//! A CA, a leaf and responses about it, minted to order.

use notafter::revocation::{StapleJudge, StapleOutlook};
use notafter::{Certificate, Timestamp};
use rcgen::{ExtendedKeyUsagePurpose, KeyPair};
use x509_ocsp::{CertStatus, ResponderId, SingleResponse};

use crate::support::ocsp::{Hash, answer, by_name, data, good, provided, signed};
use crate::support::pki::{self, NOW, days};

pub struct Scene {
    pub ca: pki::Ca,
    pub issuer: Certificate,
    pub leaf: Certificate,
}

impl Scene {
    pub fn new() -> Self {
        let ca = pki::root("Issuing CA", -100, 1000);
        Self {
            issuer: ca.certificate(),
            leaf: ca.leaf(&["a.example"], -10, 80).certificate(),
            ca,
        }
    }

    pub fn answer(&self, status: CertStatus, from: Timestamp, to: Timestamp) -> SingleResponse {
        let pair = (&self.leaf, &self.issuer);
        answer(pair, Hash::Sha1, status, (from, Some(to)))
    }

    pub fn staple(&self, answers: Vec<SingleResponse>) -> Vec<u8> {
        signed(
            data(by_name(&self.issuer), NOW, answers),
            self.ca.key(),
            &[],
        )
    }

    /// By both providers, which must agree.
    pub fn judge_with(&self, judge: &StapleJudge, staple: &[u8], now: Timestamp) -> StapleOutlook {
        let [ring, aws_lc] = provided()
            .map(|(_, algorithms)| judge.judge(staple, &self.leaf, &self.issuer, algorithms, now));
        assert_eq!(ring, aws_lc);
        ring
    }

    pub fn judge(&self, staple: &[u8], now: Timestamp) -> StapleOutlook {
        self.judge_with(&StapleJudge::new(), staple, now)
    }

    /// A good answer, signed by this key under this responderID.
    pub fn good_by(
        &self,
        id: ResponderId,
        key: &KeyPair,
        certificates: &[&Certificate],
    ) -> Vec<u8> {
        let answers = vec![self.answer(good(), days(0), days(7))];
        signed(data(id, NOW, answers), key, certificates)
    }

    pub fn delegate(&self, from: i64, to: i64, usage: ExtendedKeyUsagePurpose) -> pki::Leaf {
        self.ca.leaf_with(&["responder"], from, to, |params| {
            params.extended_key_usages = vec![usage];
        })
    }
}
