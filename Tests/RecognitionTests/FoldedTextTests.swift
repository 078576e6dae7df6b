import Testing
@testable import Recognition

/// The folded view of a text: characters that stand for plain ones are found, at their place in the source.
@Suite struct FoldedTextTests {
    private static func wide(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { Unicode.Scalar($0.value + 0xFEE0) ?? $0 }))
    }

    private static func digits(_ text: String, _ zero: UInt32) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map {
                    (0x30...0x39).contains($0.value) ? Unicode.Scalar($0.value - 0x30 + zero) ?? $0 : $0
                }))
    }

    @Test func `a number is found however its parts are parted`() {
        let plain: [(Entity, String)] = [
            (.phoneNumber, "+49 30 9018 2012"), (.creditCard, "4111 1111 1111 1111"),
            (.ibanCode, "DE89 3704 0044 0532 0130 00"), (.ukNhs, "943 476 5919"),
        ]
        for (entity, text) in plain {
            for space in [
                "\u{A0}", "\u{202F}", "\u{2009}", "\u{3000}", "&nbsp;", "%20", "%C2%A0", "&#xA0;", "&amp;nbsp;",
            ] {
                let written = text.replacing(" ", with: space)
                #expect(found("phone NHS \(written) now", [entity]) == ["\(entity.name) \(written)"], "\(space)")
            }
        }
        for dash in ["\u{2010}", "\u{2011}", "\u{2013}", "\u{2212}", "\u{FF0D}", "&ndash;", "%2D"] {
            let written = "219-09-9998".replacing("-", with: dash)
            #expect(found("her SSN \(written).", [.usSsn]) == ["US_SSN \(written)"], "\(dash)")
        }
    }

    @Test func `what nobody sees hides nothing`() {
        for unseen in ["\u{200B}", "\u{200D}", "\u{AD}", "\u{2060}", "\u{FEFF}", "&shy;", "&#8203;", "\u{E0061}"] {
            for (entity, text) in [
                (Entity.usSsn, "219-09-9998"), (.creditCard, "4111111111111111"),
                (.emailAddress, "jane.roe@example.com"),
            ] {
                let middle = text.index(text.startIndex, offsetBy: text.count / 2)
                let once = text[..<middle] + unseen + text[middle...]
                #expect(found("see \(once) now", [entity]) == ["\(entity.name) \(once)"], "\(unseen)")
                let often = text.map(String.init).joined(separator: unseen)
                #expect(found("see \(often) now", [entity]) == ["\(entity.name) \(often)"], "\(unseen)")
            }
        }
    }

    @Test func `digits and letters of other forms are digits and letters`() {
        for zero: UInt32 in [0x660, 0x6F0, 0x966, 0xFF10, 0x1D7CE] {
            let written = Self.digits("4111111111111111", zero)
            #expect(found(written, [.creditCard]) == ["CREDIT_CARD \(written)"], "\(zero)")
        }
        let address = Self.wide("jane.roe@example.com")
        #expect(found("mail \(address)", [.emailAddress]) == ["EMAIL_ADDRESS \(address)"])
        let keycaps = "4111111111111111".map { "\($0)\u{FE0F}\u{20E3}" }.joined()
        #expect(found(keycaps, [.creditCard]) == ["CREDIT_CARD \(keycaps)"])
    }

    @Test func `escapes are decoded, escapes of escapes too`() {
        for written in [
            "jane.roe%40example-corp.com", "jane.roe&#64;example-corp.com", "jane.roe&#x40;example-corp.com",
            "jane.roe&commat;example-corp&period;com", "jane.roe%2540example-corp.com",
            "jane.roe&amp;#64;example-corp.com",
        ] {
            #expect(found("to \(written) now", [.emailAddress]) == ["EMAIL_ADDRESS \(written)"])
        }
        #expect(found("?q=a%00b&x=%zz&#;&#x;&;%4") == [])
        #expect(found("100%25 of 12%", [.phoneNumber, .creditCard]).isEmpty)
    }

    /// The view costs a copy and a second search, so ordinary prose must have none.
    @Test func `a text that hides nothing has no second view`() {
        for text in [
            "plain 12", "Füße und Übermut, 12 Stück", "Bonjour\u{A0}! Ça va\u{A0}?", "an em\u{2014}dash", "❤️ fine 🙂",
            "日本語の文章。",
            "R&D and 50 %", "\u{201C}quoted\u{201D}",
        ] {
            let bytes = Array(text.utf8)
            #expect(FoldedText(bytes.span, bytes.indices) == nil, "\(text)")
        }
    }

    @Test func `places never split a character`() {
        let pieces = [
            "4111", "\u{A0}", "\u{AD}", "é", "日", "%41", "&#64;", "@", "a.com", "\u{1D7CE}", "%C3", "\u{FE0F}", " ",
        ]
        var state: UInt64 = 7
        for _ in 0..<2000 {
            var text = ""
            for _ in 0..<12 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                text += pieces[Int(state >> 33) % pieces.count]
            }
            let bytes = Array(text.utf8)
            guard let folded = FoldedText(bytes.span, bytes.indices) else { continue }
            var last = 0
            for place in folded.bytes.indices {
                let source = folded.source(place..<place + 1)
                #expect(source.lowerBound >= last && source.upperBound <= bytes.count && !source.isEmpty)
                last = source.lowerBound
            }
            var matches: [EntityMatch] = []
            TextScanner(entities: Entity.usual).scan(bytes.span, range: bytes.indices, into: &matches)
            for match in matches {
                #expect(bytes[match.start] & 0xC0 != 0x80)
                #expect(match.end == bytes.count || bytes[match.end] & 0xC0 != 0x80)
            }
        }
    }

    @Test func `what may stand for something else is marked alike by both kernels`() {
        let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ $0 >> 3) }
        let (wide, scalar) = (CandidateMap(bytes.span, 0..<1000), CandidateMap(bytes.span, 0..<1000, isScalar: true))
        for start in stride(from: 0, to: 990, by: 7) {
            for length in [1, 3, 64, 65] where start + length <= 1000 {
                let range = start..<start + length
                let truth = range.contains { bytes[$0] >= 0x80 || bytes[$0] == 0x25 || bytes[$0] == 0x26 }
                #expect(wide.holdsOdd(in: range) == truth && scalar.holdsOdd(in: range) == truth)
            }
        }
    }

    @Test func `names of a list are found in the second view`() {
        let text = Array("Ann\u{AD}a\u{A0}Lee".utf8)
        let lines = Array("Anna Lee\n".utf8)
        guard let list = NameList(lines.span, entity: .person) else {
            Issue.record("the list has a name")
            return
        }
        var matches: [EntityMatch] = []
        list.find(text.span, text.indices, into: &matches)
        #expect(matches.map(\.range) == [text.indices])
    }
}
