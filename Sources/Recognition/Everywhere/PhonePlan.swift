/// The national numbering plans: calling codes and number lengths (ITU-T E.164, ITU list of national plans, in the form
/// of libphonenumber's metadata).
package enum PhonePlan {
    /// By calling code, the possible lengths of national numbers: bit `n` for `n` digits.
    private static let lengths: [UInt16] = {
        let plans = """
            1:10 20:8-10 211:9 212:9 213:8-9 216:8 218:9 220:7,9 221:9 222:8 223:8 224:8-9 225:10 226:8 227:8 228:8 229:10 230:7-8,10 \
            231:7-9 232:8 233:8-9 234:10-12 235:8 236:8 237:8-9 238:7 239:7 240:9 241:7-8 242:9 243:7-10 244:9 245:7,9 246:7 247:5 \
            248:7 249:9 250:8-9 251:9 252:6-9 253:8 254:7-10 255:9 256:9 257:8 258:8-9 260:9 261:9 262:9 263:7,9-10 264:8-9 265:7,9 \
            266:8 267:7-8,10 268:8 269:7 27:5-9 290:4-5 291:7 297:7 298:6 299:6 30:10-12 31:7-11 32:8-9 33:9 34:9 350:8 351:9 352:4-11 \
            353:7-10 354:7,9 355:7-9 356:8 357:8 358:5-10 359:6-9,12 36:8-9 370:8 371:8 372:7-8,10 373:8 374:8 375:6-11 376:6,8-9 \
            377:8-9 378:8,10 380:9-10 381:6-12 382:8-9 383:8-12 385:7-9 386:6-8 387:8-9 389:8 39:6-12 40:6,9 41:9 420:9 421:6-7,9 \
            423:7,9 43:4-13 44:7,9-10 45:8 46:6-9 47:8 48:7,9-10 49:5-13 500:5 501:7,11 502:8,11 503:7-8,11 504:8,11 505:8 506:8,10 \
            507:7-8,10-11 508:6,9 509:8 51:8-9 52:10 53:6-8,10 54:10-11 55:9-11 56:9,11 57:8,10-11 58:10 590:9 591:8-9 592:7 593:8-11 \
            594:9 595:7-11 596:9 597:6-7 598:6-12 599:7-8 60:8-10 61:7,9-10 62:7-13 63:6,8-13 64:8-10 65:8,10-11 66:8-10,13 670:7-8 \
            672:6 673:7 674:7 675:7-8 676:5,7 677:5,7 678:5,7 679:7,11 680:7 681:6,9 682:5 683:4,7 685:5-7,10 686:5,8 687:6 688:5-7 \
            689:8-9 690:4-7 691:7 692:7 7:10,14 800:8 808:8 81:8-13 82:5-6,8-13 84:8-10 850:8,10 852:8-9 853:7-8 855:8-10 856:8-10 \
            86:7-12 870:9,12 878:12 880:6-10 881:9-10 882:7-12 883:8-12 886:8-11 888:11 90:10,12-13 91:8-13 92:8-11 93:9 94:9 95:6-10 \
            960:7,10 961:7-8 962:8-9 963:8-9 964:8-10 965:7-8 966:9-10 967:7-9 968:7-9 970:8-10 971:5-12 972:7-12 973:8 974:7-9,11 \
            975:7-8 976:8-10 977:8,10-11 979:9 98:6-7,10 992:9 993:8 994:9 995:9 996:9-10 998:9
            """
        var lengths = [UInt16](repeating: 0, count: 1000)
        for plan in plans.split(separator: " ") {
            let parts = plan.split(separator: ":")
            guard let code = Int(parts[0]) else { continue }
            for run in parts[1].split(separator: ",") {
                let ends = run.split(separator: "-").compactMap { Int($0) }
                for length in ends[0]...ends[ends.count - 1] { lengths[code] |= 1 << UInt16(length) }
            }
        }
        return lengths
    }()

    /// By country (ISO 3166-1), its calling code and trunk prefix: 0, or the digits after the colon.
    private static let countries: [String: (code: [UInt8], trunk: [UInt8])] = {
        let plans = """
            AC247: AD376: AE971 AF93 AG1:1 AI1:1 AL355 AM374 AO244: AR54 AS1:1 AT43 AU61 AW297: AX358 AZ994 BA387 BB1:1 BD880 BE32 \
            BF226: BG359 BH973: BI257: BJ229: BL590 BM1:1 BN673: BO591 BQ599: BR55 BS1:1 BT975: BW267: BY375:8 BZ501: CA1:1 CC61 CD243 \
            CF236: CG242: CH41 CI225: CK682: CL56: CM237: CN86 CO57 CR506: CU53 CV238: CW599: CX61 CY357: CZ420: DE49 DJ253: DK45: \
            DM1:1 DO1:1 DZ213 EC593 EE372: EG20 EH212 ER291 ES34: ET251 FI358 FJ679: FK500: FM691: FO298: FR33 GA241: GB44 GD1:1 GE995 \
            GF594 GG44 GH233 GI350: GL299: GM220: GN224: GP590 GQ240: GR30: GT502: GU1:1 GW245: GY592: HK852: HN504: HR385 HT509: \
            HU36:06 ID62 IE353 IL972 IM44 IN91 IO246: IQ964 IR98 IS354: IT39: JE44 JM1:1 JO962 JP81 KE254 KG996 KH855 KI686 KM269: \
            KN1:1 KP850 KR82 KW965: KY1:1 KZ7:8 LA856 LB961 LC1:1 LI423 LK94 LR231 LS266: LT370 LU352: LV371: LY218 MA212 MC377 MD373 \
            ME382 MF590 MG261 MH692:1 MK389 ML223: MM95 MN976 MO853: MP1:1 MQ596 MR222: MS1:1 MT356: MU230: MV960: MW265 MX52: MY60 \
            MZ258: NA264 NC687: NE227: NF672: NG234 NI505: NL31 NO47: NP977 NR674: NU683: NZ64 OM968: PA507: PE51 PF689: PG675: PH63 \
            PK92 PL48: PM508 PR1:1 PS970 PT351: PW680: PY595 QA974: RE262 RO40 RS381 RU7:8 RW250 SA966 SB677: SC248: SD249 SE46 SG65: \
            SH290: SI386 SJ47: SK421 SL232 SM378: SN221: SO252 SR597: SS211 ST239: SV503: SX1:1 SY963 SZ268: TA290: TC1:1 TD235: \
            TG228: TH66 TJ992: TK690: TL670: TM993:8 TN216: TO676: TR90 TT1:1 TV688: TW886 TZ255 UA380 UG256 US1:1 UY598 UZ998: VA39: \
            VC1:1 VE58 VG1:1 VI1:1 VN84 VU678: WF681: WS685: XK383 YE967 YT262 ZA27 ZM260 ZW263
            """
        var countries: [String: (code: [UInt8], trunk: [UInt8])] = [:]
        for plan in plans.split(separator: " ") {
            let parts = plan.dropFirst(2).split(separator: ":", omittingEmptySubsequences: false)
            countries[String(plan.prefix(2))] = (Array(parts[0].utf8), parts.count > 1 ? Array(parts[1].utf8) : [0x30])
        }
        return countries
    }()

    /// Whether a country is known by its two letters (ISO 3166-1).
    package static func knows(_ country: String) -> Bool { countries[country] != nil }

    /// The calling code that begins with three digits: its length, and the lengths of national numbers as bits; nil for
    /// none.
    static func callingCode(_ first: UInt8, _ second: UInt8, _ third: UInt8) -> (length: Int, national: UInt16)? {
        guard isDigit(first), first != 0x30 else { return nil }
        var code = Int(first - 0x30)
        if lengths[code] != 0 { return (1, lengths[code]) }
        guard isDigit(second) else { return nil }
        code = code * 10 + Int(second - 0x30)
        if lengths[code] != 0 { return (2, lengths[code]) }
        guard isDigit(third) else { return nil }
        code = code * 10 + Int(third - 0x30)
        return lengths[code] != 0 ? (3, lengths[code]) : nil
    }

    /// International prefixes that are dialled instead of `+`, longest first: 0011 in Australia, 810 in Russia, 011 in
    /// North America, 010 in Japan, 00 in most countries.
    static let prefixes: [[UInt8]] = ["0011", "810", "011", "010", "00"].map { Array($0.utf8) }

    /// A telephone number in E.164 (`+` and digits), if its form or `country` gives the calling code; otherwise its
    /// digits.
    ///
    /// - Parameters:
    ///   - text: the number as written.
    ///   - country: the country it is dialled in, by its two letters; nil when unknown.
    package static func normalised(_ text: [UInt8], country: String?) -> [UInt8] {
        var digits: [UInt8] = []
        var isInternational = false
        var at = 0
        while at < text.count {
            let byte = text[at]
            // The trunk prefix in +49 (0)30.
            if byte == UInt8(ascii: "("), text[at...].starts(with: Array("(0)".utf8)),
                isInternational || !digits.isEmpty
            {
                at += 3
                continue
            }
            if byte == UInt8(ascii: "+"), digits.isEmpty { isInternational = true }
            if isDigit(byte) {
                digits.append(byte)
            } else if isLetter(byte), digits.count >= 7 {
                // Digits after a letter are an extension.
                break
            }
            at += 1
        }
        if !isInternational {
            for prefix in prefixes where digits.starts(with: prefix) {
                let rest = Array(digits.dropFirst(prefix.count))
                guard rest.count >= 7, let (length, national) = callingCode(rest[0], rest[1], rest[2]),
                    isLength(rest.count - length, national)
                else { continue }
                return [UInt8(ascii: "+")] + rest
            }
            guard let country, let plan = countries[country] else { return digits }
            // With the calling code and without a sign, as databases store it.
            if digits.starts(with: plan.code), let (length, national) = callingCode(digits, 0),
                isLength(digits.count - length, national), !isLength(digits.count, national)
            {
                return [UInt8(ascii: "+")] + digits
            }
            if !plan.trunk.isEmpty, digits.starts(with: plan.trunk) { digits.removeFirst(plan.trunk.count) }
            return [UInt8(ascii: "+")] + plan.code + digits
        }
        // Italy and others keep the zero. If the number would be too long, the zero is a trunk prefix.
        if let (length, national) = callingCode(digits, 0), digits.count > length, digits[length] == 0x30,
            !isLength(digits.count - length, national), isLength(digits.count - length - 1, national)
        {
            digits.remove(at: length)
        }
        return [UInt8(ascii: "+")] + digits
    }

    /// The calling code at a place among digits; nil for none.
    private static func callingCode(_ digits: [UInt8], _ at: Int) -> (length: Int, national: UInt16)? {
        guard digits.count >= at + 3 else { return nil }
        return callingCode(digits[at], digits[at + 1], digits[at + 2])
    }

    /// Whether national numbers of a plan may have `count` digits.
    static func isLength(_ count: Int, _ national: UInt16) -> Bool {
        count > 0 && count < 16 && national >> UInt16(count) & 1 == 1
    }
}
