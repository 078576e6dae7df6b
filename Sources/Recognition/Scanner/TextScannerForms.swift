/// Offers the candidates at one place to the recognisers.
extension TextScanner {
    /// Runs the recognisers for the byte at `at`.
    ///
    /// - Returns: where to continue.
    func candidate(_ bytes: Span<UInt8>, _ at: Int, _ look: inout Look) -> Int {
        switch bytes[at] {
        case UInt8(ascii: "@"):
            if sought.contains(.emailAddress), let range = matchEmail(bytes, at, &look.view) {
                offer(Candidate(.emailAddress, range, score: 0.9), bytes, &look)
            }
        case UInt8(ascii: ":"): colon(bytes, at, &look)
        case UInt8(ascii: "="): if findsSecrets { note(Secrets.equals, in: bytes, at: at, &look) }
        case UInt8(ascii: "-"):
            if look.view[bytes, at - 1] == UInt8(ascii: "-") {
                if findsSecrets { note(Secrets.dashes, in: bytes, at: at - 1, &look) }
            } else if sought.contains(.macAddress), let range = matchMAC(bytes, at - 5, &look.view) {
                offer(Candidate(.macAddress, range, score: 0.6), bytes, &look)
            }
        case 0x30...0x39:
            var next = at + 1
            while next < look.view.high, isDigit(bytes[next]) { next += 1 }
            look.view.count(next - at)
            if at >= look.tokenEnd, token(bytes, at, &look) { return look.tokenEnd }
            if !sought.isEmpty { number(bytes, at, run: next - at, &look) }
            return next
        case _ where look.view[bytes, at - 1] == UInt8(ascii: "."):
            if sought.contains(.macAddress), let range = matchMAC(bytes, at - 5, &look.view) {
                offer(Candidate(.macAddress, range, score: 0.6), bytes, &look)
            } else if sought.contains(.url), at >= look.hostEnd {
                let host = hostWord(bytes, at, &look.view)
                look.hostEnd = host.upperBound
                if let range = matchBareURL(bytes, host, &look.view) {
                    offer(Candidate(.url, range, score: 0.5), bytes, &look)
                }
            }
        default:
            guard findsSecrets else { break }
            note(Secrets.accessKey, in: bytes, at: at, &look)
            // The sixteenth letter of a word that may be a token without digits.
            if at >= look.tokenEnd, token(bytes, at, &look) { return look.tokenEnd }
        }
        return at + 1
    }

    /// Offers what has a colon: URLs, IPv6 and MAC addresses, passwords in URLs and credentials beside their names.
    private func colon(_ bytes: Span<UInt8>, _ at: Int, _ look: inout Look) {
        if look.view[bytes, at + 1] == UInt8(ascii: "/") {
            if findsSecrets { note(Secrets.colon, in: bytes, at: at, &look) }
            if sought.contains(.url), let range = matchURL(bytes, at, &look.view) {
                offer(Candidate(.url, range, score: 0.6), bytes, &look)
            }
            return
        }
        if findsSecrets { note(Secrets.named, in: bytes, at: at, &look) }
        if sought.contains(.ipAddress), let end = matchUnspecified(bytes, at, &look.view) {
            offer(Candidate(.ipAddress, at..<end, score: 0.1), bytes, &look)
        }
        guard isHex(look.view[bytes, at - 1]) || look.view[bytes, at + 1] == UInt8(ascii: ":") else { return }
        if sought.contains(.macAddress), let range = matchMAC(bytes, at - 2, &look.view) {
            offer(Candidate(.macAddress, range, score: 0.6), bytes, &look)
        }
        if sought.contains(.ipAddress), let start = hexWordStart(bytes, at, &look.view),
            let end = matchIPv6(bytes, start, &look.view)
        {
            offer(Candidate(.ipAddress, start..<end, score: scoreIPv6(bytes, start..<end, &look.view)), bytes, &look)
        }
    }

    /// Keeps the first credential.
    private func note(
        _ find: (Span<UInt8>, Int) -> SecretKind?, in bytes: Span<UInt8>, at: Int, _ look: inout Look
    ) {
        if let secret = look.secret, secret != .namedKey { return }
        let found = find(bytes.extracting(look.view.low..<look.view.high), at - look.view.low)
        if let found { look.secret = found }
    }

    /// Examines the whole word around a digit as a credential.
    ///
    /// - Returns: whether it is a UUID, whose digits cannot be anything else.
    private func token(_ bytes: Span<UInt8>, _ at: Int, _ look: inout Look) -> Bool {
        let word = Secrets.word(bytes, around: at, in: look.view.range)
        look.view.count(word.count)
        look.tokenEnd = word.upperBound
        // The signs of base64 split a key into short words.
        if findsSecrets, word.lowerBound - 1 > look.partsEnd || look.partsEnd == look.view.low,
            let start = Secrets.start(ofParts: word, bytes, in: look.view.range)
        {
            if start != look.partsStart { note(Secrets.introduced, in: bytes, at: start, &look) }
            look.partsStart = start
        }
        look.partsEnd = word.upperBound
        if word.count < Secrets.tokenMin { return false }
        if Secrets.isUUID(bytes, word) { return true }
        guard findsSecrets else { return false }
        note(Secrets.introduced, in: bytes, at: word.lowerBound, &look)
        for place in word {
            switch bytes[place] {
            case 0x5F, 0x2D, 0x2E, UInt8(ascii: "K"), UInt8(ascii: "S"), UInt8(ascii: "z"):
                note(Secrets.inside, in: bytes, at: place, &look)
            default: continue
            }
        }
        return false
    }

    /// Offers what the run of digits at `at` begins or belongs to.
    private func number(_ bytes: Span<UInt8>, _ at: Int, run: Int, _ look: inout Look) {
        let before = look.view[bytes, at - 1]
        if sought.contains(.ibanCode), run >= 2, isLetter(before) || run == 2 && isLetter(look.view[bytes, at - 2]) {
            let start = isLetter(before) ? at - 2 : at - 3
            if let (end, score) = matchIBAN(bytes, start, &look.view) {
                offer(Candidate(.ibanCode, start..<end, score: score), bytes, &look)
            }
        }
        if run <= 4 { addresses(bytes, at, run: run, before: before, &look) }
        var letters = 0
        while letters < 8, isLetter(look.view[bytes, at - 1 - letters]) { letters += 1 }
        let start = at - letters
        if sought.contains(.crypto), letters <= 2, let end = matchCrypto(bytes, start, &look.view) {
            offer(Candidate(.crypto, start..<end, score: 1), bytes, &look)
        }
        guard startsWord(bytes, start, &look.view) else { return }
        if letters >= 2, !isCapital(before) { glued(bytes, at, run: run, &look) }
        shapes(bytes, at, run: run, letters: letters, &look)
        guard letters == 0, look.view.startsNumber(bytes, at) || before == UInt8(ascii: "(") else { return }
        phones(bytes, at, run: run, before: before, &look)
        if sought.contains(.creditCard), run >= 12 || run == 4, let card = matchCard(bytes, at, run: run, &look.view) {
            // Cards of thirteen digits are rare today; such a number is more often an article's.
            let isArticle = isArticleNumber(bytes, at..<card.end)
            let base = card.isIssued ? isArticle ? 0.45 : run == 13 ? 0.65 : 1 : 0.3
            offer(
                Candidate(.creditCard, at..<card.end, score: base, besideOnly: !card.isIssued || isArticle), bytes,
                &look)
        }
        if run <= 4 {
            if sought.contains(.dateOfBirth) || sought.contains(.dateTime) { dates(bytes, at, run: run, &look) }
            if sought.contains(.deKfz), let range = matchPlate(bytes, at, run: run, &look.view) {
                offer(Candidate(.deKfz, range, score: 0.3), bytes, &look)
            }
        }
        if run <= 3, sought.contains(.coordinates), let range = matchCoordinates(bytes, at, run: run, &look.view) {
            offer(Candidate(.coordinates, range, score: 0.45), bytes, &look)
        }
    }

    /// Offers IP and MAC addresses that contain the digits at `at`.
    private func addresses(_ bytes: Span<UInt8>, _ at: Int, run: Int, before: UInt8, _ look: inout Look) {
        if sought.contains(.ipAddress) {
            if let start = hexWordStart(bytes, at, &look.view), let end = matchIPv6(bytes, start, &look.view) {
                offer(
                    Candidate(.ipAddress, start..<end, score: scoreIPv6(bytes, start..<end, &look.view)), bytes, &look)
            }
            if !isWord(before), run <= 3, !isVersion || !Recognition.isVersion(bytes, look.whole, at),
                let end = matchIPv4(bytes, at, &look.view)
            {
                offer(Candidate(.ipAddress, at..<end, score: scoreIPv4(bytes, at..<end, &look.view)), bytes, &look)
            }
        }
        if sought.contains(.macAddress), let start = hexWordStart(bytes, at, &look.view),
            let range = matchMAC(bytes, start, &look.view)
        {
            offer(Candidate(.macAddress, range, score: 0.6), bytes, &look)
        }
    }

    /// Offers the telephone numbers that the digits at `at` begin.
    private func phones(_ bytes: Span<UInt8>, _ at: Int, run: Int, before: UInt8, _ look: inout Look) {
        guard sought.contains(.phoneNumber) else { return }
        if called.contains(.phoneNumber), at - look.whole.lowerBound <= 2,
            isDialled(bytes, look.whole, isNumber: isNumber)
        {
            offer(Candidate(.phoneNumber, look.whole, score: 0.3), bytes, &look)
        }
        let sign = before == UInt8(ascii: "(") ? look.view[bytes, at - 2] : before
        if sign == UInt8(ascii: "+") || before == 0x20 && look.view[bytes, at - 2] == UInt8(ascii: "+") {
            let plus = before == UInt8(ascii: "+") ? at - 1 : at - 2
            guard !isWord(look.view[bytes, plus - 1]), let end = matchInternational(bytes, plus, &look.view) else {
                return
            }
            // A parenthesis before the sign that is closed after the calling code belongs to the number.
            let isOpen = look.view[bytes, plus - 1] == UInt8(ascii: "(") && bytes[end - 1] != UInt8(ascii: ")")
            let closes = isOpen && (plus..<end).contains { bytes[$0] == UInt8(ascii: ")") }
            offer(
                Candidate(.phoneNumber, (closes ? plus - 1 : plus)..<end, score: before == 0x20 ? 0.4 : 0.75), bytes,
                &look)
            return
        }
        let start = before == UInt8(ascii: "(") ? at - 1 : at
        if start < at, isDigit(look.view[bytes, at - 2]) { return }
        if start == at, let (end, isGrouped) = matchPrefixed(bytes, at, &look.view) {
            offer(Candidate(.phoneNumber, at..<end, score: isGrouped ? 0.5 : 0.4), bytes, &look)
            return
        }
        var northAmerican = start < at || run == 3 ? matchNorthAmerican(bytes, start, &look.view) : nil
        if run == 1, bytes[at] == UInt8(ascii: "1"), start == at {
            let area = isPhoneSeparator(look.view[bytes, at + 1]) ? at + 2 : at + 1
            northAmerican = matchNorthAmerican(bytes, area, &look.view)
        }
        if let northAmerican { return offer(Candidate(.phoneNumber, start..<northAmerican, score: 0.7), bytes, &look) }
        // A bare number of fewer than nine digits may be a count.
        if let dialled = matchDialled(bytes, start, &look.view), !isNumber || dialled.end - start >= 9 {
            let base = dialled.isUsual ? 0.4 : 0.3
            offer(Candidate(.phoneNumber, start..<dialled.end, score: base, besideOnly: !dialled.isUsual), bytes, &look)
        }
    }

    /// Offers dates, and dates of birth, that the digits at `at` begin.
    private func dates(_ bytes: Span<UInt8>, _ at: Int, run: Int, _ look: inout Look) {
        guard let range = matchDate(bytes, at, run: run, &look.view) else { return }
        // Beside a word such as `born` the date of birth scores higher.
        offer(Candidate(.dateTime, range, score: 0.6), bytes, &look)
        offer(Candidate(.dateOfBirth, range, score: 0.3), bytes, &look)
    }

    /// Compares the candidate with the shapes that begin like it.
    private func shapes(_ bytes: Span<UInt8>, _ at: Int, run: Int, letters: Int, _ look: inout Look) {
        let next = look.view[bytes, at + run]
        for place in rules.index.starting(letters: letters, digits: run, before: next) {
            compare(shape: place, bytes, at, &look)
        }
        if isWord(next) || letters > 0 {
            var end = at + run
            while end - at <= Symbols.limit, isWord(look.view[bytes, end]) { end += 1 }
            let length = end - at + letters
            for place in rules.index.words(of: length) { compare(shape: place, bytes, at - letters, &look) }
        } else if run >= 8 {
            for place in rules.index.numbers(of: run) { compare(shape: place, bytes, at, &look) }
        }
        if letters == 0 {
            let before = look.view[bytes, at - 1]
            if before == 0x20 || before == UInt8(ascii: "-"), isLetter(look.view[bytes, at - 2]) {
                for place in rules.index.apart(digits: run) { compare(shape: place, bytes, at, &look) }
            }
        }
    }

    /// Compares a number directly after a word with shapes that hardly match by chance.
    private func glued(_ bytes: Span<UInt8>, _ at: Int, run: Int, _ look: inout Look) {
        let next = look.view[bytes, at + run]
        for place in rules.index.starting(letters: 0, digits: run, before: next)
        where rules.index.shapes[place].score >= 0.9 {
            compare(shape: place, bytes, at, isGlued: true, &look)
        }
    }

    /// Offers one shape, if the bytes match and its check succeeds.
    private func compare(
        shape place: Int, _ bytes: Span<UInt8>, _ at: Int, isGlued: Bool = false, _ look: inout Look
    ) {
        let shape = rules.index.shapes[place]
        guard sought.contains(shape.entity) else { return }
        let start = at - Int(shape.lead)
        let end = start + Int(shape.count)
        guard start >= look.view.low, end <= look.view.high else { return }
        look.view.count(end - start)
        guard rules.index.stands(shape, bytes, start) else { return }
        if !isGlued {
            let starts =
                isDigit(bytes[start]) ? look.view.startsNumber(bytes, start) : startsWord(bytes, start, &look.view)
            if !starts { return }
        }
        guard isDigit(bytes[end - 1]) ? look.view.endsNumber(bytes, end) : endsWord(bytes, end, &look.view) else {
            return
        }
        var score = shape.score
        if let check = Recogniser.checks[Int(shape.recogniser)] {
            switch check(Symbols(bytes, start..<end)) {
            case .no: return
            case .unlikely: score = min(score, 0.3)
            case .yes: break
            case .sure: score = min(1, score + 0.3)
            }
        }
        offer(Candidate(shape.entity, start..<end, score: score), bytes, &look)
    }
}
