package import Cryptography

/// The random parts of the keys that single subjects have (`perSubject`). Without its salt nobody can compute a subject's
/// key, whoever has the token key.
package protocol SubjectSalts: Sendable {
    /// The 32 random bytes of a subject; equal subjects get the same ones.
    func salt(of subject: [UInt8]) throws(CryptographyError) -> [UInt8]
}
