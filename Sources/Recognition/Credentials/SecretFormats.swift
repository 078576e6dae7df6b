/// Credentials by the formats that their issuers document.
extension Secrets {
    /// Prefixes of formats, and words in them.
    enum Word {
        static let githubPat = Array("github_pat_".utf8)
        static let hf = Array("hf_".utf8)
        static let live = Array("live_".utf8)
        static let test = Array("test_".utf8)
        static let begin = Array("-----BEGIN ".utf8)
        static let privateKey = Array("PRIVATE KEY-----".utf8)
        static let keyBlock = Array("PRIVATE KEY BLOCK-----".utf8)
        static let glpat = Array("glpat-".utf8)
        static let xox = Array("xox".utf8)
        static let pypiAge = Array("pypi-AgE".utf8)
        static let sk = Array("sk-".utf8)
        static let sg = Array("SG.".utf8)
        static let eyj = Array("eyJ".utf8)
        static let schemeMark = Array("://".utf8)
        static let akia = Array("AKIA".utf8)
        static let asia = Array("ASIA".utf8)
        static let aiza = Array("AIza".utf8)
        static let npm = Array("npm_".utf8)
    }

    private static let githubHeads = ["ghp_", "gho_", "ghu_", "ghs_", "ghr_"].map { Array($0.utf8) }

    /// The token around a character that marks its format; nil for none.
    static func inside(_ text: Span<UInt8>, _ at: Int) -> Kind? {
        switch text[at] {
        case UInt8(ascii: "_"): underscore(text, at)
        case UInt8(ascii: "-"): dash(text, at)
        case UInt8(ascii: "."): dot(text, at)
        case UInt8(ascii: "z"): isToken(text, at: at - 2, head: Word.aiza, length: 35, of: isURLSafe) ? .googleKey : nil
        default: accessKey(text, at)
        }
    }

    /// An AWS access key, examined at its second or third letter.
    static func accessKey(_ text: Span<UInt8>, _ at: Int) -> Kind? {
        text[at] == UInt8(ascii: "K") && isToken(text, at: at - 1, head: Word.akia, length: 16, of: isUpper)
            || text[at] == UInt8(ascii: "S") && isToken(text, at: at - 1, head: Word.asia, length: 16, of: isUpper)
            ? .awsAccessKey : nil
    }

    /// Tokens with an underscore in their prefix: GitHub, Hugging Face, npm, Stripe.
    private static func underscore(_ text: Span<UInt8>, _ at: Int) -> Kind? {
        for letter in githubHeads
        where stands(letter, in: text, at - 3) && run(text, at + 1, isAlphanumeric) >= 36 && isStart(text, at - 3) {
            return .githubToken
        }
        if stands(Word.githubPat, in: text, at - 6), run(text, at + 5, isWord) >= 60 { return .githubToken }
        if isToken(text, at: at - 3, head: Word.npm, length: 36, of: isAlphanumeric) { return .npmToken }
        if isStart(text, at - 2), stands(Word.hf, in: text, at - 2), run(text, at + 1, isAlphanumeric) >= 30 {
            return .huggingFaceToken
        }
        guard at >= 2, text[at - 1] == UInt8(ascii: "k"), [0x73, 0x72].contains(text[at - 2]), isStart(text, at - 2),
            stands(Word.live, in: text, at + 1) || stands(Word.test, in: text, at + 1)
        else { return nil }
        return run(text, at + 6, isAlphanumeric) >= 16 ? .stripeKey : nil
    }

    /// Tokens with a dash in their prefix: GitLab, Slack, PyPI, keys with `sk-`.
    private static func dash(_ text: Span<UInt8>, _ at: Int) -> Kind? {
        if isStart(text, at - 5), stands(Word.glpat, in: text, at - 5), run(text, at + 1, isURLSafe) >= 20 {
            return .gitlabToken
        }
        if at >= 4, stands(Word.xox, in: text, at - 4), isStart(text, at - 4),
            [0x61, 0x62, 0x65, 0x70, 0x72, 0x73].contains(text[at - 1]),
            run(text, at + 1, isURLSafe) >= 20
        {
            return .slackToken
        }
        if stands(Word.pypiAge, in: text, at - 4), run(text, at + 1, isURLSafe) >= 60 { return .pypiToken }
        guard isStart(text, at - 2), stands(Word.sk, in: text, at - 2) else { return nil }
        let length = run(text, at + 1, isURLSafe)
        return length >= 20 && hasMixedRun(text, at + 1..<at + 1 + length) ? .apiKey : nil
    }

    /// Tokens with dots between their parts: JSON Web Tokens, SendGrid.
    private static func dot(_ text: Span<UInt8>, _ at: Int) -> Kind? {
        if isStart(text, at - 2), stands(Word.sg, in: text, at - 2) {
            let first = run(text, at + 1, isURLSafe)
            guard first >= 16, at + 1 + first < text.count, text[at + 1 + first] == UInt8(ascii: ".") else {
                return nil
            }
            return run(text, at + 2 + first, isURLSafe) >= 32 ? .sendGridKey : nil
        }
        // Three parts in base64url; the first two are JSON objects, so they begin with eyJ (RFC 7519).
        guard stands(Word.eyj, in: text, at + 1) else { return nil }
        let second = run(text, at + 1, isURLSafe)
        guard second >= 12, at + 1 + second < text.count, text[at + 1 + second] == UInt8(ascii: "."),
            run(text, at + 2 + second, isURLSafe) >= 16
        else { return nil }
        var first = 0
        while first < tokenMax, at - first > 0, isURLSafe(text[at - first - 1]) { first += 1 }
        return first >= 12 && stands(Word.eyj, in: text, at - first) ? .webToken : nil
    }
}
