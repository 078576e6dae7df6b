/// Offers the candidates at one place to the recognisers.
extension TextScanner {
    /// Runs the recognisers for the byte at `at`.
    ///
    /// - Returns: where to continue.
    func candidate(_ bytes: Span<UInt8>, _ at: Int, _ state: inout ScanState) -> Int {
        switch bytes[at] {
        case UInt8(ascii: "@"):
            if sought.contains(.emailAddress), let range = matchEmail(bytes, at, &state.view) {
                offer(Candidate(.emailAddress, range, score: 0.9), bytes, &state)
            }
        case UInt8(ascii: ":"): colon(bytes, at, &state)
        case UInt8(ascii: "="): if findsSecrets { note(Secrets.equals, in: bytes, at: at, &state) }
        case UInt8(ascii: "-"):
            if state.view[bytes, at - 1] == UInt8(ascii: "-") {
                if findsSecrets { note(Secrets.dashes, in: bytes, at: at - 1, &state) }
            } else if sought.contains(.macAddress), let range = matchMAC(bytes, at - 5, &state.view) {
                offer(Candidate(.macAddress, range, score: 0.6), bytes, &state)
            }
        case 0x30...0x39:
            var next = at + 1
            while next < state.view.high, isDigit(bytes[next]) { next += 1 }
            state.view.count(next - at)
            if at >= state.tokenEnd, token(bytes, at, &state) { return state.tokenEnd }
            if !sought.isEmpty { number(bytes, at, run: next - at, &state) }
            return next
        case _ where state.view[bytes, at - 1] == UInt8(ascii: "."):
            if sought.contains(.macAddress), let range = matchMAC(bytes, at - 5, &state.view) {
                offer(Candidate(.macAddress, range, score: 0.6), bytes, &state)
            } else if sought.contains(.url), at >= state.hostEnd {
                let host = hostWord(bytes, at, &state.view)
                state.hostEnd = host.upperBound
                if let range = matchBareURL(bytes, host, &state.view) {
                    offer(Candidate(.url, range, score: 0.5), bytes, &state)
                }
            }
        default:
            guard findsSecrets else { break }
            note(Secrets.accessKey, in: bytes, at: at, &state)
            // The sixteenth letter of a word that may be a token without digits.
            if at >= state.tokenEnd, token(bytes, at, &state) { return state.tokenEnd }
        }
        return at + 1
    }

    /// Offers what has a colon: URLs, IPv6 and MAC addresses, passwords in URLs and credentials beside their names.
    private func colon(_ bytes: Span<UInt8>, _ at: Int, _ state: inout ScanState) {
        if state.view[bytes, at + 1] == UInt8(ascii: "/") {
            if findsSecrets { note(Secrets.colon, in: bytes, at: at, &state) }
            if sought.contains(.url), let range = matchURL(bytes, at, &state.view) {
                offer(Candidate(.url, range, score: 0.6), bytes, &state)
            }
            return
        }
        if findsSecrets { note(Secrets.named, in: bytes, at: at, &state) }
        if sought.contains(.ipAddress), let end = matchUnspecified(bytes, at, &state.view) {
            offer(Candidate(.ipAddress, at..<end, score: 0.1), bytes, &state)
        }
        guard isHex(state.view[bytes, at - 1]) || state.view[bytes, at + 1] == UInt8(ascii: ":") else { return }
        if sought.contains(.macAddress), let range = matchMAC(bytes, at - 2, &state.view) {
            offer(Candidate(.macAddress, range, score: 0.6), bytes, &state)
        }
        if sought.contains(.ipAddress), let start = hexWordStart(bytes, at, &state.view),
            let end = matchIPv6(bytes, start, &state.view)
        {
            offer(Candidate(.ipAddress, start..<end, score: scoreIPv6(bytes, start..<end, &state.view)), bytes, &state)
        }
    }

    /// Keeps the first credential.
    private func note(
        _ find: (Span<UInt8>, Int) -> SecretKind?, in bytes: Span<UInt8>, at: Int, _ state: inout ScanState
    ) {
        if let secret = state.secret, secret != .namedKey { return }
        let found = find(bytes.extracting(state.view.low..<state.view.high), at - state.view.low)
        if let found { state.secret = found }
    }

    /// Examines the whole word around a digit as a credential.
    ///
    /// - Returns: whether it is a UUID, whose digits cannot be anything else.
    private func token(_ bytes: Span<UInt8>, _ at: Int, _ state: inout ScanState) -> Bool {
        let word = Secrets.word(bytes, around: at, in: state.view.range)
        state.view.count(word.count)
        state.tokenEnd = word.upperBound
        // The signs of base64 split a key into short words.
        if findsSecrets, word.lowerBound - 1 > state.partsEnd || state.partsEnd == state.view.low,
            let start = Secrets.start(ofParts: word, bytes, in: state.view.range)
        {
            if start != state.partsStart { note(Secrets.introduced, in: bytes, at: start, &state) }
            state.partsStart = start
        }
        state.partsEnd = word.upperBound
        if word.count < Secrets.tokenMin { return false }
        if Secrets.isUUID(bytes, word) { return true }
        guard findsSecrets else { return false }
        note(Secrets.introduced, in: bytes, at: word.lowerBound, &state)
        for place in word {
            switch bytes[place] {
            case 0x5F, 0x2D, 0x2E, UInt8(ascii: "K"), UInt8(ascii: "S"), UInt8(ascii: "z"):
                note(Secrets.inside, in: bytes, at: place, &state)
            default: continue
            }
        }
        return false
    }

    /// Offers what the run of digits at `at` begins or belongs to.
    private func number(_ bytes: Span<UInt8>, _ at: Int, run: Int, _ state: inout ScanState) {
        let before = state.view[bytes, at - 1]
        if sought.contains(.ibanCode), run >= 2, isLetter(before) || run == 2 && isLetter(state.view[bytes, at - 2]) {
            let start = isLetter(before) ? at - 2 : at - 3
            if let (end, score) = matchIBAN(bytes, start, &state.view) {
                offer(Candidate(.ibanCode, start..<end, score: score), bytes, &state)
            }
        }
        if run <= 4 { addresses(bytes, at, run: run, before: before, &state) }
        var letters = 0
        while letters < 8, isLetter(state.view[bytes, at - 1 - letters]) { letters += 1 }
        let start = at - letters
        if sought.contains(.crypto), letters <= 2, let end = matchCrypto(bytes, start, &state.view) {
            offer(Candidate(.crypto, start..<end, score: 1), bytes, &state)
        }
        guard startsWord(bytes, start, &state.view) else { return }
        if letters >= 2, !isCapital(before) { glued(bytes, at, run: run, &state) }
        shapes(bytes, at, run: run, letters: letters, &state)
        guard letters == 0, state.view.startsNumber(bytes, at) || before == UInt8(ascii: "(") else { return }
        phones(bytes, at, run: run, before: before, &state)
        if sought.contains(.creditCard), run >= 12 || run == 4, let card = matchCard(bytes, at, run: run, &state.view) {
            // Cards of thirteen digits are rare today; such a number is more often an article's.
            let isArticle = isArticleNumber(bytes, at..<card.end)
            let base = card.isIssued ? isArticle ? 0.45 : run == 13 ? 0.65 : 1 : 0.3
            offer(
                Candidate(.creditCard, at..<card.end, score: base, besideOnly: !card.isIssued || isArticle), bytes,
                &state)
        }
        if run <= 4 {
            if sought.contains(.dateOfBirth) || sought.contains(.dateTime) { dates(bytes, at, run: run, &state) }
            if sought.contains(.deKfz), let range = matchPlate(bytes, at, run: run, &state.view) {
                offer(Candidate(.deKfz, range, score: 0.3), bytes, &state)
            }
        }
        if run <= 3, sought.contains(.coordinates), let range = matchCoordinates(bytes, at, run: run, &state.view) {
            offer(Candidate(.coordinates, range, score: 0.45), bytes, &state)
        }
    }

    /// Offers IP and MAC addresses that contain the digits at `at`.
    private func addresses(_ bytes: Span<UInt8>, _ at: Int, run: Int, before: UInt8, _ state: inout ScanState) {
        if sought.contains(.ipAddress) {
            if let start = hexWordStart(bytes, at, &state.view), let end = matchIPv6(bytes, start, &state.view) {
                offer(
                    Candidate(.ipAddress, start..<end, score: scoreIPv6(bytes, start..<end, &state.view)), bytes, &state
                )
            }
            if !isWord(before), run <= 3, !isVersion || !Recognition.isVersion(bytes, state.whole, at),
                let end = matchIPv4(bytes, at, &state.view)
            {
                offer(Candidate(.ipAddress, at..<end, score: scoreIPv4(bytes, at..<end, &state.view)), bytes, &state)
            }
        }
        if sought.contains(.macAddress), let start = hexWordStart(bytes, at, &state.view),
            let range = matchMAC(bytes, start, &state.view)
        {
            offer(Candidate(.macAddress, range, score: 0.6), bytes, &state)
        }
    }

    /// Offers the telephone numbers that the digits at `at` begin.
    private func phones(_ bytes: Span<UInt8>, _ at: Int, run: Int, before: UInt8, _ state: inout ScanState) {
        guard sought.contains(.phoneNumber) else { return }
        if called.contains(.phoneNumber), at - state.whole.lowerBound <= 2,
            isDialled(bytes, state.whole, isNumber: isNumber)
        {
            offer(Candidate(.phoneNumber, state.whole, score: 0.3), bytes, &state)
        }
        let sign = before == UInt8(ascii: "(") ? state.view[bytes, at - 2] : before
        if sign == UInt8(ascii: "+") || before == 0x20 && state.view[bytes, at - 2] == UInt8(ascii: "+") {
            let plus = before == UInt8(ascii: "+") ? at - 1 : at - 2
            guard !isWord(state.view[bytes, plus - 1]), let end = matchInternational(bytes, plus, &state.view) else {
                return
            }
            // A parenthesis before the sign that is closed after the calling code belongs to the number.
            let isOpen = state.view[bytes, plus - 1] == UInt8(ascii: "(") && bytes[end - 1] != UInt8(ascii: ")")
            let closes = isOpen && (plus..<end).contains { bytes[$0] == UInt8(ascii: ")") }
            offer(
                Candidate(.phoneNumber, (closes ? plus - 1 : plus)..<end, score: before == 0x20 ? 0.4 : 0.75), bytes,
                &state)
            return
        }
        let start = before == UInt8(ascii: "(") ? at - 1 : at
        if start < at, isDigit(state.view[bytes, at - 2]) { return }
        if start == at, let (end, isGrouped) = matchPrefixed(bytes, at, &state.view) {
            offer(Candidate(.phoneNumber, at..<end, score: isGrouped ? 0.5 : 0.4), bytes, &state)
            return
        }
        var northAmerican = start < at || run == 3 ? matchNorthAmerican(bytes, start, &state.view) : nil
        if run == 1, bytes[at] == UInt8(ascii: "1"), start == at {
            let area = isPhoneSeparator(state.view[bytes, at + 1]) ? at + 2 : at + 1
            northAmerican = matchNorthAmerican(bytes, area, &state.view)
        }
        if let northAmerican { return offer(Candidate(.phoneNumber, start..<northAmerican, score: 0.7), bytes, &state) }
        // A bare number of fewer than nine digits may be a count.
        if let dialled = matchDialled(bytes, start, &state.view), !isNumber || dialled.end - start >= 9 {
            let base = dialled.isUsual ? 0.4 : 0.3
            offer(
                Candidate(.phoneNumber, start..<dialled.end, score: base, besideOnly: !dialled.isUsual), bytes, &state)
        }
    }

    /// Offers dates, and dates of birth, that the digits at `at` begin.
    private func dates(_ bytes: Span<UInt8>, _ at: Int, run: Int, _ state: inout ScanState) {
        guard let range = matchDate(bytes, at, run: run, &state.view) else { return }
        // Beside a word such as `born` the date of birth scores higher.
        offer(Candidate(.dateTime, range, score: 0.6), bytes, &state)
        offer(Candidate(.dateOfBirth, range, score: 0.3), bytes, &state)
    }

    /// Compares the candidate with the shapes that begin like it.
    private func shapes(_ bytes: Span<UInt8>, _ at: Int, run: Int, letters: Int, _ state: inout ScanState) {
        let next = state.view[bytes, at + run]
        for place in rules.index.starting(letters: letters, digits: run, before: next) {
            compare(shape: place, bytes, at, &state)
        }
        if isWord(next) || letters > 0 {
            var end = at + run
            while end - at <= Symbols.limit, isWord(state.view[bytes, end]) { end += 1 }
            let length = end - at + letters
            for place in rules.index.words(of: length) { compare(shape: place, bytes, at - letters, &state) }
        } else if run >= 8 {
            for place in rules.index.numbers(of: run) { compare(shape: place, bytes, at, &state) }
        }
        if letters == 0 {
            let before = state.view[bytes, at - 1]
            if before == 0x20 || before == UInt8(ascii: "-"), isLetter(state.view[bytes, at - 2]) {
                for place in rules.index.apart(digits: run) { compare(shape: place, bytes, at, &state) }
            }
        }
    }

    /// Compares a number directly after a word with shapes that hardly match by chance.
    private func glued(_ bytes: Span<UInt8>, _ at: Int, run: Int, _ state: inout ScanState) {
        let next = state.view[bytes, at + run]
        for place in rules.index.starting(letters: 0, digits: run, before: next)
        where rules.index.shapes[place].score >= 0.9 {
            compare(shape: place, bytes, at, isGlued: true, &state)
        }
    }

    /// What a check that hardly succeeds by chance adds to a form's score.
    static let sureBonus = 0.3

    /// Offers one shape, if the bytes match and its check succeeds.
    private func compare(
        shape place: Int, _ bytes: Span<UInt8>, _ at: Int, isGlued: Bool = false, _ state: inout ScanState
    ) {
        let shape = rules.index.shapes[place]
        guard sought.contains(shape.entity) else { return }
        let start = at - Int(shape.lead)
        let end = start + Int(shape.count)
        guard start >= state.view.low, end <= state.view.high else { return }
        state.view.count(end - start)
        guard rules.index.stands(shape, bytes, start) else { return }
        if !isGlued {
            let starts =
                isDigit(bytes[start]) ? state.view.startsNumber(bytes, start) : startsWord(bytes, start, &state.view)
            if !starts { return }
        }
        guard isDigit(bytes[end - 1]) ? state.view.endsNumber(bytes, end) : endsWord(bytes, end, &state.view) else {
            return
        }
        var score = shape.score
        if let check = Recogniser.checks[Int(shape.recogniser)] {
            switch check(Symbols(bytes, start..<end)) {
            case .no: return
            case .unlikely: score = min(score, 0.3)
            case .yes: break
            case .sure: score = min(1, score + Self.sureBonus)
            }
        }
        offer(Candidate(shape.entity, start..<end, score: score), bytes, &state)
    }
}
