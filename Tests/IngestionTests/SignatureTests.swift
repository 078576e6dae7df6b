import Cryptography
import Foundation
import Testing

@testable import Ingestion

/// Signatures made by minisign 0.11 and ssh-keygen of OpenSSH 9.2 over the file `id,x\n1,2\n`.
@Suite struct SignatureTests {
    private static let file = Array("id,x\n1,2\n".utf8)
    private static let minisignKey = "RWRSeshNgdQYLxlsQJnVLtYh1M2PQ7tKx7HarI5GVx1vzbIO90gsOmHw"
    private static let minisign = """
        untrusted comment: signature from minisign secret key
        RURSeshNgdQYL72QsGecZLWPHPs0aX6uol/EHtetLnyWf/sv7qI0o8gIDpBzksfwbF6Cvgy/3FRS3NSIIND29oSnsbu2YYGpkAE=
        trusted comment: hello
        OiZPUI62LN/HcF/a2PxzkKG6ZzgKQgfkV3aZ6zv3wt2D3OLNdB6Zx5YIRB7ftY4i2FUZlGUKN5y9iiPAotUWDg==

        """
    private static let old = """
        untrusted comment: signature from minisign secret key
        RWRSeshNgdQYL3k8xuQGppyXvWwisQQW9fsEcnpx896FiBBQpRQ4Z5TRV4ZswTJie/+OSr91RLYCnLZdd01g58Lb0n5KtwRTNQA=
        trusted comment: timestamp:1795836125\tfile:m.csv
        2uiP8xnGm+SdAsdZx9G4vFPpfMLJGGKQapI4xLlEg9Ca+Zi4VRNQovOg8kWytu3YjpBE5FbsGORqkHA9AJ7pAQ==

        """
    private static let sshKey =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGUgLnbzA3xWOH8cm1aUUzd3oCmejM9XYxWZiN2zLNgw somebody"
    private static let ssh = """
        -----BEGIN SSH SIGNATURE-----
        U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgZSAudvMDfFY4fxybVpRTN3egKZ
        6Mz1djFZmI3bMs2DAAAAAEZmlsZQAAAAAAAAAGc2hhNTEyAAAAUwAAAAtzc2gtZWQyNTUx
        OQAAAEDIWF5kovDKKQ+ATueoORY4h34f0gFOIQ/bFz2sFGIrDV/MkPJwidfVoGxh9jx7Fz
        rbXi4aI4+NX6ZBjmRE3DsE
        -----END SSH SIGNATURE-----

        """

    private func signer(_ text: String, _ file: [UInt8], _ keys: [TrustedKey], namespace: String = "file") throws
        -> String?
    {
        let made = try #require(DetachedSignature(Array(text.utf8)))
        var signed = file
        if let function = made.function {
            var digest = try MessageDigest(function)
            digest.update(file.span)
            signed = digest.finish()
        }
        return made.signer(signed, keys, namespace: namespace)?.fingerprint
    }

    @Test func `signatures of minisign and ssh-keygen are checked`() throws {
        let keys = [
            try #require(TrustedKey(.minisign, Self.minisignKey)), try #require(TrustedKey(.ssh, Self.sshKey)),
        ]
        #expect(keys[0].fingerprint == "2F18D4814DC87A52")
        #expect(keys[1].fingerprint.hasPrefix("SHA256:vv0M1KiLp"))
        #expect(try signer(Self.minisign, Self.file, keys) == keys[0].fingerprint)
        #expect(try signer(Self.old, Self.file, keys) == keys[0].fingerprint)
        #expect(try signer(Self.ssh, Self.file, keys) == keys[1].fingerprint)
        // minisign's whole .pub file is read too.
        #expect(
            TrustedKey(.minisign, "untrusted comment: minisign public key 2F18D4814DC87A52\n" + Self.minisignKey)
                == keys[0])
    }

    @Test func `another file, key, comment or purpose is no signature of this one`() throws {
        let keys = [
            try #require(TrustedKey(.minisign, Self.minisignKey)), try #require(TrustedKey(.ssh, Self.sshKey)),
        ]
        let other = Array("id,x\n1,3\n".utf8)
        for text in [Self.minisign, Self.old, Self.ssh] {
            #expect(try signer(text, other, keys) == nil)
            #expect(try signer(text, Self.file, []) == nil)
        }
        #expect(try signer(Self.ssh, Self.file, keys, namespace: "email") == nil)
        // The trusted comment is signed too.
        #expect(try signer(Self.minisign.replacing("hello", with: "hullo"), Self.file, keys) == nil)
        var wrong = keys[0]
        wrong = try #require(TrustedKey(.minisign, "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3"))
        #expect(try signer(Self.minisign, Self.file, [wrong]) == nil)
    }

    @Test func `what is no key and no signature is refused`() {
        for text in ["", "RWQ", "ssh-rsa AAAA", "ssh-ed25519", "ssh-ed25519 AAAA", Self.sshKey] {
            #expect(TrustedKey(.minisign, text) == nil)
        }
        #expect(TrustedKey(.ssh, Self.minisignKey) == nil)
        #expect(TrustedKey(.ssh, Self.sshKey.replacing("AAAAC3", with: "AAAAC4")) == nil)
        for text in [
            "", "untrusted comment: x", Self.minisign.replacing("RURS", with: "RUR"),
            Self.minisign.replacing("trusted comment: hello", with: "hello"),
            Self.ssh.replacing("-----END", with: "---END"), Self.ssh.replacing("U1NIU0lH", with: "U1NIU0lI"),
            Self.ssh.replacing("rbXi4aI4", with: ""),
        ] {
            #expect(DetachedSignature(Array(text.utf8)) == nil, "\(text)")
        }
    }

    @Test func `digests are those of the standards`() throws {
        // RFC 7693 appendix A, FIPS 180-4 examples.
        for (function, expected) in [
            (
                MessageDigest.Function.blake2b512,
                "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
                    + "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923"
            ),
            (
                .sha512,
                "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                    + "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
            ), (.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ] {
            var digest = try MessageDigest(function)
            for byte in "abc".utf8 { digest.update([byte].span) }
            #expect(hex(digest.finish()) == expected)
        }
    }

    @Test func `digest files and manifests are read as people write them`() {
        let sum = String(repeating: "ab", count: 32)
        func answer(_ kind: Sidecars.Kind?, _ text: String, list: String = "") -> String? {
            var sidecars = Sidecars()
            sidecars.name = "orders.csv"
            if let kind { sidecars.files[kind] = Array(text.utf8) } else { sidecars.lists[list] = Array(text.utf8) }
            let statements = sidecars.statements(and: StatedDigests(sidecars.lists))
            return statements.first.map { ($0.sha256.map(hex) ?? "none") + ($0.size.map { " \($0)" } ?? "") }
        }
        for text in [
            sum, sum.uppercased() + "\r\n", sum + "  orders.csv\n", sum + " *./data/orders.csv\n",
            "SHA256 (orders.csv) = \(sum)\n", sum + "  old-name.csv\n",
            String(repeating: "0", count: 64) + "  a.csv\n" + sum + "  orders.csv\n",
        ] {
            #expect(answer(.sha256, text) == sum, "\(text)")
        }
        for text in ["", "nonsense", "abcd  orders.csv", sum.dropLast() + "", sum + "  a.csv\n" + sum + "  b.csv\n"] {
            #expect(answer(.sha256, text) == nil, "\(text)")
        }
        #expect(answer(nil, sum + "  orders.csv\n", list: "SHA256SUMS") == sum)
        #expect(answer(nil, sum + "  data/orders.csv\n", list: "manifest-sha256.txt") == sum)
        #expect(answer(nil, sum + "  others.csv\n", list: "SHA256SUMS") == nil, "it says nothing of this file")
        // A resource without a digest states nothing of its own, and the document may.
        #expect(answer(.manifest, #"{"resources":[{"path":"orders.csv"}]}"#) == nil)
        #expect(answer(.manifest, #"{"resources":[{"path":"orders.csv"}],"sha256":"\#(sum)"}"#) == sum)
        let package =
            #"{"resources":[{"path":"x.csv","hash":"sha256:00"},{"path":"data/orders.csv","hash":"sha256:\#(sum)","bytes":12}]}"#
        #expect(answer(nil, package, list: "datapackage.json") == sum + " 12")
        #expect(answer(.manifest, package) == sum + " 12")
        #expect(answer(.manifest, #"{"sha256":"\#(sum)"}"#) == sum)
        // MD5, the default of the package, proves nothing and is ignored.
        let weak = #"{"resources":[{"path":"orders.csv","hash":"d41d8cd98f00b204e9800998ecf8427e"}]}"#
        #expect(answer(nil, weak, list: "datapackage.json") == nil)
        #expect(answer(.manifest, "{") == nil)
        // The exact name takes precedence over one that only ends in it.
        let both = String(repeating: "1", count: 64) + "  old/orders.csv\n" + sum + "  orders.csv\n"
        #expect(answer(nil, both, list: "SHA256SUMS") == sum)
    }
}
