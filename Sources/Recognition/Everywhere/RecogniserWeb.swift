/// A MAC address whose first digit is at `at`; nil for none. Forms are six pairs with colons or dashes, and three
/// groups of four with dots.
///
/// All zeros and all ones are no device's address.
func matchMAC(_ bytes: Span<UInt8>, _ at: Int, _ view: inout ScanWindow) -> Range<Int>? {
    guard at >= view.low, isHex(view[bytes, at]), isHex(view[bytes, at + 1]), !isWord(view[bytes, at - 1]) else {
        return nil
    }
    let separator: UInt8
    let group: Int
    switch view[bytes, at + 2] {
    case UInt8(ascii: ":"), UInt8(ascii: "-"): (separator, group) = (view[bytes, at + 2], 2)
    default:
        guard view[bytes, at + 4] == UInt8(ascii: ".") else { return nil }
        (separator, group) = (UInt8(ascii: "."), 4)
    }
    let before = view[bytes, at - 1]
    if before == separator, isHex(view[bytes, at - 2]) { return nil }
    var position = at
    var sum = 0
    for part in stride(from: 0, to: 12, by: group) {
        for offset in 0..<group {
            let byte = view[bytes, position + offset]
            guard isHex(byte) else { return nil }
            sum += isDigit(byte) ? Int(byte &- 0x30) : Int((byte | 0x20) &- 0x57)
        }
        position += group
        if part + group < 12 {
            guard view[bytes, position] == separator else { return nil }
            position += 1
        }
    }
    let next = view[bytes, position]
    if isWord(next) || next == separator && isHex(view[bytes, position + 1]) { return nil }
    return sum == 0 || sum == 180 ? nil : at..<position
}

/// A URL whose `:` is at `at`; nil for none: `http`, `https` or `ftp`, a host under a public top-level domain, and what
/// follows.
func matchURL(_ bytes: Span<UInt8>, _ at: Int, _ view: inout ScanWindow) -> Range<Int>? {
    guard view[bytes, at + 1] == UInt8(ascii: "/"), view[bytes, at + 2] == UInt8(ascii: "/") else { return nil }
    var start = at
    while at - start < 6, isLetter(view[bytes, start - 1]) { start -= 1 }
    var scheme: UInt64 = 0
    for place in start..<at { scheme = scheme << 8 | UInt64(view[bytes, place] | 0x20) }
    guard [0x6874_7470, 0x68_7474_7073, 0x66_7470].contains(scheme), !isWord(view[bytes, start - 1]) else { return nil }
    guard let host = hostEnd(bytes, at + 3, &view) else { return nil }
    return start..<pathEnd(bytes, host, &view)
}

/// The word of letters, digits, dashes and dots around `at`.
func hostWord(_ bytes: Span<UInt8>, _ at: Int, _ view: inout ScanWindow) -> Range<Int> {
    var (start, end) = (at, at)
    while at - start < 253, isHostByte(view[bytes, start - 1]) { start -= 1 }
    while end - at <= 253, isHostByte(view[bytes, end]) { end += 1 }
    return start..<end
}

/// A URL without a scheme that begins with such a word; nil for none.
func matchBareURL(_ bytes: Span<UInt8>, _ word: Range<Int>, _ view: inout ScanWindow) -> Range<Int>? {
    var start = word.lowerBound
    while start < word.upperBound, view[bytes, start] == UInt8(ascii: "-") || view[bytes, start] == UInt8(ascii: ".") {
        start += 1
    }
    let before = view[bytes, start - 1]
    guard !isWord(before), before != UInt8(ascii: "@"), before != UInt8(ascii: "/"),
        let host = hostEnd(bytes, start, &view),
        view[bytes, host] != UInt8(ascii: "@")
    else { return nil }
    return start..<pathEnd(bytes, host, &view)
}

/// Whether a byte may be part of a host name: letters, digits, dashes and dots.
private func isHostByte(_ byte: UInt8) -> Bool {
    isLetter(byte) || isDigit(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
}

/// The end of the longest host from `start` on under a public top-level domain; nil for none.
private func hostEnd(_ bytes: Span<UInt8>, _ start: Int, _ view: inout ScanWindow) -> Int? {
    var at = start
    var best: Int?
    var labels = 0
    while at - start < 253 {
        let label = at
        var key: UInt64 = 0
        while at - label < 63,
            isLetter(view[bytes, at]) || isDigit(view[bytes, at]) || view[bytes, at] == UInt8(ascii: "-")
        {
            key = key &<< 5 ^ key &>> 59 ^ UInt64(view[bytes, at] | 0x20)
            at += 1
        }
        if at == label { break }
        labels += 1
        if labels > 1, topLevelDomains.contains(key), at - label <= 12 { best = at }
        guard view[bytes, at] == UInt8(ascii: ".") else { break }
        at += 1
    }
    guard let best, !isWord(view[bytes, best]), view[bytes, best] != UInt8(ascii: "-") else { return nil }
    return best
}

/// The end of a path and what follows it: up to a space, quote or bracket, without a final full stop.
private func pathEnd(_ bytes: Span<UInt8>, _ host: Int, _ view: inout ScanWindow) -> Int {
    var at = host
    if view[bytes, at] == UInt8(ascii: ":"), isDigit(view[bytes, at + 1]) {
        at += 1
        while at - host < 6, isDigit(view[bytes, at]) { at += 1 }
    }
    guard [UInt8(ascii: "/"), UInt8(ascii: "?"), UInt8(ascii: "#")].contains(view[bytes, at]) else { return at }
    while at - host < 2048 {
        let byte = view[bytes, at]
        if byte <= 0x20 || byte == 0x28 || byte == 0x29 || byte == 0x3C || byte == 0x3E || byte == 0x22 || byte == 0x27
        {
            break
        }
        at += 1
    }
    while at > host, ".,;:!".utf8.contains(view[bytes, at - 1]) { at -= 1 }
    return at
}

/// Top-level domains (IANA root zone): all country codes, and the generic ones in common use.
private let topLevelDomains: Set<UInt64> = {
    let names = """
        com edu gov int mil net org pro tel xxx aero asia biz cat coop info jobs mobi museum name post travel arpa academy \
        agency app art bank bar beer berlin best bid bike bio blog boutique build business cafe camp capital car care careers \
        cash center chat church city cloud club codes coffee community company computer consulting cool credit data dating day \
        deals delivery dental design dev digital direct directory discount doctor dog domains download earth eco education \
        email energy engineer engineering estate events exchange expert express family fans farm fashion finance financial \
        fish fit fitness foundation fun fund gallery game games garden gift gifts global gmbh gold golf group guide guru \
        health help holiday hospital host hosting house icu ink institute insure international investments jewelry kitchen \
        land law legal life lighting limited link live loan loans love ltd luxury management market marketing media moe money \
        mortgage movie navy network news ngo ninja nyc one ong onl online paris partners parts party photo photography photos \
        pics pictures pink pizza place plus poker press productions properties property pub red reise rent rentals repair \
        report rest restaurant review reviews rip rocks run sale school science security services sex shoes shop show site \
        social software solutions space sport store stream studio study style support surf systems tax taxi team tech \
        technology theater tips today tools top tours town toys trade trading training university uno vacations ventures vet \
        video villas vip vision vlaanderen vote voyage watch web webcam website wedding wiki win wine work works world wtf xyz \
        yoga zone ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs bt bv bw by bz \
        ca cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et eu fi fj fk fm fo fr ga \
        gb gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it je jm jo jp ke \
        kg kh ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo mp mq mr ms mt mu mv \
        mw mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro rs ru rw sa sb \
        sc sd se sg sh si sj sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th tj tk tl tm tn to tr tt tv tw tz ua ug uk \
        us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw
        """
    return Set(
        names.split(separator: " ").map { name in
            name.utf8.reduce(0) { $0 &<< 5 ^ $0 &>> 59 ^ UInt64($1 | 0x20) }
        })
}()
