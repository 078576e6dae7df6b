import Sketches
import Testing

@testable import Recognition

/// Credentials by their form; none of these is real.
@Suite struct SecretsTests {
    private func find(_ text: String, column: String = "") -> SecretKind? {
        let bytes = Array(text.utf8)
        var matches: [EntityMatch] = []
        let scanner = TextScanner(entities: [], columnName: column, secrets: true)
        return scanner.scan(bytes.span, range: bytes.indices, into: &matches)
    }

    private static let long = String(repeating: "aB3d", count: 30)
    private static let letters = String(repeating: "aBcDeFgHiJkLmNoPqRsTuVwXyZ", count: 2)

    /// Assembled here, so that secret scanners do not take this file for a leak.
    private static let cases: [(SecretKind, String)] = [
        (.awsAccessKey, "AKIA" + "Q2W3E4R5T6Y7U2I3"), (.awsAccessKey, "ASIA" + "Q2W3E4R5T6Y7U2I3"),
        (.githubToken, "gh" + "p_" + long.prefix(36)), (.githubToken, "gho" + "_" + long.prefix(40)),
        (.githubToken, "github" + "_pat_" + long.prefix(82)), (.gitlabToken, "glp" + "at-" + long.prefix(20)),
        (.slackToken, "xox" + "b-123456789012-" + long.prefix(24)), (.stripeKey, "sk_" + "live_" + long.prefix(24)),
        (.stripeKey, "rk_" + "test_" + long.prefix(24)), (.googleKey, "AI" + "za" + long.prefix(35)),
        (.apiKey, "sk" + "-" + long.prefix(48)), (.apiKey, "sk" + "-proj-" + long.prefix(48)),
        (.npmToken, "np" + "m_" + long.prefix(36)), (.pypiToken, "py" + "pi-AgEIcHlwaS5vcmc" + long.prefix(80)),
        (.huggingFaceToken, "h" + "f_" + long.prefix(34)),
        (.sendGridKey, "S" + "G." + long.prefix(22) + "." + long.prefix(43)),
        (.privateKey, "-----BEGIN " + "PRIVATE KEY-----"), (.privateKey, "-----BEGIN " + "RSA PRIVATE KEY-----\nMII"),
        (.privateKey, "-----BEGIN " + "OPENSSH PRIVATE KEY-----"),
        (.privateKey, "-----BEGIN " + "PGP PRIVATE KEY BLOCK-----"),
        (.webToken, "ey" + "JhbGciOiJIUzI1NiJ9.ey" + "JzdWIiOiIxMjM0NTYifQ." + long.prefix(43)),
        (.passwordInURL, "postgres:" + "//app:s3cr3tpw@db.example/x"),
        (.passwordInURL, "https:" + "//u:hunter22@example.org"),
        (.namedKey, "api" + "_key = " + "q7Zr2Lx9Vb4Nw8Tk3Ym6"),
        (.namedKey, "secret" + ": " + "'q7Zr2Lx9Vb4Nw8Tk3Ym6Pd'"),
        (.connectionString, "Server=db;User Id=app;Pass" + "word=s3cr3tpw;"),
        (.connectionString, "Endpoint=x;Shared" + "AccessKey=abcdefgh1234="),
    ]

    /// The same for credentials that are found by their names.
    private static let namedCases: [(SecretKind, String)] = [
        (.awsSecretKey, "aws_secret_access_key=wJa/rXUtnFEMI+K7MDENG\(long.prefix(19))"),
        (.awsSecretKey, "SecretAccessKey: \"\(long.prefix(40))\""),
        (.azureStorageKey, "AccountKey=\(long.prefix(86))=="),
        (.httpAuthorization, "Authorization: Bearer \(long.prefix(32))"),
        (.httpAuthorization, "curl -H 'authorization: bearer \(long.prefix(20))'"),
        (.httpAuthorization, "sent Bearer \(long.prefix(40))"),
        (.httpAuthorization, "Authorization: Basic dXNlcjpwYXNz"),
    ]

    @Test func `every form is found, wherever it stands`() {
        for (kind, text) in Self.cases + Self.namedCases {
            for whole in [text, "see " + text, text + " please", "(" + text + ")", "key: \"" + text + "\""] {
                #expect(find(whole) == kind, "\(kind) \(whole.count)")
            }
        }
        #expect(Set((Self.cases + Self.namedCases).map(\.0)) == Set(SecretKind.allCases))
    }

    @Test func `a token needs no digit`() {
        let heads: [(SecretKind, String, Int)] = [
            (.huggingFaceToken, "h" + "f_", 34), (.githubToken, "gh" + "p_", 36), (.googleKey, "AI" + "za", 35),
            (.npmToken, "np" + "m_", 36),
        ]
        for (kind, head, length) in heads {
            let text = head + Self.letters.prefix(length)
            for whole in [text, "see " + text, String(repeating: "x ", count: 40) + text + ", please"] {
                #expect(find(whole) == kind, "\(kind)")
            }
        }
        #expect(find("Donaudampfschifffahrtselektrizitaetenhauptbetriebswerkbauunterbeamtengesellschaft") == nil)
    }

    @Test func `a name and its value stand together in many ways`() {
        let value = "q7Zr2Lx9Vb4Nw8Tk3Ym6"
        let signs: [String] = [
            "=", " = ", ":", "\t", "\t=\t", " => ", " := ", ":     ", "\\\": \\\"", "=\"", ">", "\">", ": '",
        ]
        for sign in signs {
            #expect(find("the pass" + "word\(sign)\(value)") == .namedKey, "\(sign)")
        }
        #expect(find("<api-key>\(value)</api-key>") == .namedKey)
        for scheme in ["Token", "ApiKey", "GoogleLogin", "Bearer"] {
            #expect(find("Authorization: \(scheme) \(Self.long.prefix(32))") == .httpAuthorization, "\(scheme)")
        }
    }

    @Test func `a column's name is a name`() {
        let long = Self.long
        let cases: [(SecretKind, String, String)] = [
            (.awsSecretKey, "aws_secret_access_key", "\(long.prefix(40))"),
            (.azureStorageKey, "AccountKey", "\(long.prefix(86))=="), (.namedKey, "api_key", "q7Zr2Lx9Vb4Nw8Tk3Ym6"),
            (.namedKey, "password", "hunter2!"), (.namedKey, "user.passwd", " correct-horse "),
            (.httpAuthorization, "authorization", "Basic dXNlcjpwYXNz"),
            (.httpAuthorization, "Authorization", "Token \(long.prefix(32))"),
            (.awsAccessKey, "password", "AKIA" + "Q2W3E4R5T6Y7U2I3"),
            (.awsSecretKey, "aws_secret_access_key_1", "\(long.prefix(40))"),
            (.awsSecretKey, "aws_secret_access_keys", "\(long.prefix(40))"), (.namedKey, "password1", "hunter22"),
            (.namedKey, "PASSWORDS", "hunter22"), (.namedKey, "password_plain", "hunter22"),
            (.namedKey, "passwort", "$ecret99!"), (.namedKey, "password", "$2b$12$abcdefghijklmnopqrstuv"),
            (.namedKey, "password", "83910293"), (.namedKey, "password", "correct horse battery"),
            (.namedKey, "passwordConfirmation", "hunter22"), (.namedKey, "password_confirm", "hunter22"),
            (.namedKey, "password_plain_text", "hunter22"), (.namedKey, "contraseña", "hunter22"),
            (.namedKey, "passcode", "hunter22"),
        ]
        for (kind, column, value) in cases {
            #expect(find(value, column: column) == kind, "\(column)")
        }
        for (column, value) in [
            ("password", "true"), ("password", "required"), ("password", "string"), ("password", "<password>"),
            ("has_password", "enabled"), ("last_pwd", "/home/u/proj"), ("reset_password", "Wachtwoord1"),
            ("password", "Password:"), ("credential", "MD-certified-2019-board"), ("password", "${PASSWORD}"),
            ("cancellation_token", "550e8400-e29b-41d4-a716-446655440000"), ("password", "[REDACTED]"),
            ("password", "(hidden)"), ("num_passwords", "many of them"), ("pwd", "C:\\Users\\x"),
            ("resenha", "Um livro muito bom"), ("desenha", "casas azuis"),
            ("token", "walking"), ("token", "12"), ("secret", "yes"), ("password_length", "hunter22"),
            ("note", "hunter2!"), ("api_key", "none"),
        ] {
            #expect(find(value, column: column) == nil, "\(column)")
        }
    }

    /// Base64's signs split a key into words, some of which have no digit.
    @Test func `a maker's key is found behind its name, whatever is in it and between them`() {
        var random = SplitMix64(seed: 7)
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var missed = 0
        for _ in 0..<200 {
            let key = String(decoding: (0..<40).map { _ in alphabet[random.below(64)] }, as: UTF8.self)
            for text in [
                "aws_secret_access_key\t\(key)", "<aws_secret_access_key>\(key)</aws_secret_access_key>",
                "\"aws_secret_access_key\", \"\(key)\"", "| aws_secret_access_key | \(key) |",
                "setSecretAccessKey(\"\(key)\")", "aws_secret_access_key: |\n   \(key)\n",
                "aws_secret_access_key = `\(key)`",
            ] where find(text) != .awsSecretKey { missed += 1 }
        }
        // A key without a digit, or without one in a word beside a sign, has no anchor.
        #expect(missed <= 10)
        #expect(find("Server=x;Pass" + "word=\"a b;c\";") == .connectionString)
    }

    @Test func `what only looks alike is none`() {
        for text in [
            "", "short", "a perfectly ordinary note about an order", "AKIA", "AKIAQ2W3", "XAKIA" + "Q2W3E4R5T6Y7U2I3",
            "AKIA" + "Q2W3E4R5T6Y7U2I3X4", "ghp_short", "xghp_" + Self.long.prefix(36), "task-" + Self.long.prefix(30),
            "risk-assessment-of-the-third-quarter", "sk-this-is-only-words-and-no-token-at-all",
            "-----BEGIN " + "PUBLIC KEY-----", "-----BEGIN CERTIFICATE-----", "https://example.org/a:b@c",
            "https://example.org/path?user=a:b", "http://user@example.org", "postgres://app:<password>@db/x",
            "postgres://app:${PASSWORD}@db/x", "postgres://app:xxxxxxxx@db/x", "postgres://app:pw@db",
            "mailto:a@example.org",
            "2026-11-28T03:40:32.123Z", "1.2.3-beta.4+build.5", "eyJ.eyJ.eyJ", "a.eyJhbGciOiJIUzI1NiJ9.x",
            "password=please reset it", "my password is lost; thanks", "snake_case_words_and_more_of_them",
            "550e8400-e29b-41d4-a716-446655440000", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "DE89 3704 0044 0532 0130 00", "x_test_1234567890123456", "npm_install_and_run", "hf_hub",
        ] {
            #expect(find(text) == nil, "\(text)")
        }
        let more: [String] = [
            "PWD=/usr/src/app;PATH=/bin", "export OLDPWD=/root;echo hi", "password=true; email=true;",
            "password=required;minlength=8;",
            "sk-cube-grid-animation-9-squares", "The bearer 2019-annual-report-final-v2",
            "Bearer YOUR_ACCESS_TOKEN_HERE_123",
            "authorization: Basic MedicareGold", "xoxo-gossip-girl-season-2-episode-1",
            "Bearer of good news in 2026", "bearer 20260101T120000Z", "authorization: basic training",
            "Authorization: Bearer none",
            "accountkey=\(Self.long.prefix(85))==", "forbearer \(Self.long.prefix(8))",
            "the password: changed-on-2026-01-01", "String password = request.getParameter(\"password\");",
            "user.password=hashPassword(pw);", "let x=1; password = getpass();", "var pwd = args[0];",
            "each token\nMistral-7B-Instruct-v0.2 generates", "image token (openai/clip-vit-base-patch32)",
        ]
        for text in more {
            #expect(find(text) == nil, "\(text)")
        }
    }

    @Test func `a text full of beginnings takes no longer than its length allows`() {
        // Each candidate is followed for at most half a thousand bytes.
        for part in [
            ".eyJ", "://", "_", "-----BEGIN ", "ghp_", "sk-", "password=", "AKIA", "bearer 1", "token:a1", "token>a1",
            "password     :",
        ] {
            #expect(find(String(repeating: part, count: 8000)) == nil, "\(part)")
        }
    }
}
