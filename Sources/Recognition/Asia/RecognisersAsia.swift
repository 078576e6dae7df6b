extension Recogniser {
    /// Asia; the rules are those of the issuing authorities.
    static let asia: [Recogniser] = [
        Recogniser(
            .inAadhaar, [("999999999999", 0.5), ("9999#9999#9999", 0.65), ("9999:9999:9999", 0.65)],
            context: "aadhaar aadhar uidai"
        ) { number in
            guard number[0] >= 2, number.passesVerhoeff(0..<12) else { return false }
            // Palindromes are not assigned (UIDAI).
            for index in 0..<6 where number[index] != number[11 - index] { return true }
            return false
        },
        Recogniser(.inPan, [("AAAAA9999A", 0.65)], context: "pan") { number in
            // The fourth letter is the kind of holder.
            number.isAmong("ABCFGHJLPT", 3) ? .yes : .unlikely
        },
        Recogniser(.inPassport, [("A99*99999", 0.1)], context: "passport") { number in
            number[1] > 0 && number[7] > 0 ? .yes : .no
        },
        Recogniser(.inVoter, [("AAA9999999", 0.3)], context: "voter epic elector"),
        Recogniser(
            .inVehicleRegistration,
            [
                ("AA9AA9999", 0.3), ("AA9A9999", 0.3), ("AA9AAA9999", 0.3), ("AA99A9999", 0.3), ("AA99AA9999", 0.3),
                ("99bh9999AA", 0.3), ("99A999999A", 0.3), ("9{1,3}cd9{2,4}", 0.3), ("9{1,3}cc9{2,4}", 0.3),
                ("9{1,3}un9{2,4}", 0.3),
            ],
            context: "vehicle plate registration rto"),
        Recogniser(
            .inGstin, [("99AAAAA9999AXzX", 0.65)], context: "gst gstin"
        ) { number in
            guard (1...38).contains(number.number(0..<2)) else { return .no }
            // Modulo 36 with alternating weights 1 and 2.
            var sum = 0
            for index in 0..<14 {
                let product = number[index] * (index % 2 + 1)
                sum += product / 36 + product % 36
            }
            return (36 - sum % 36) % 36 == number[14] ? .sure : .yes
        },
        Recogniser(.sgNricFin, [("A9999999A", 0.3)], context: "nric fin") { number in
            guard number.isAmong("STFGM", 0) else { return .unlikely }
            let weighted = number.sum([2, 7, 6, 5, 4, 3, 2], from: 1)
            let offset = number.isAmong("TG", 0) ? 4 : number.isAmong("M", 0) ? 3 : 0
            let letters: String =
                number.isAmong("ST", 0) ? "JZIHGFEDCBA" : number.isAmong("FG", 0) ? "XWUTRQPNMLK" : "XWUTRQPNJLK"
            let rest = (weighted + offset) % 11
            let place = number.isAmong("M", 0) ? 10 - rest : rest
            return Int(Array(letters.utf8)[place]) - 55 == number[8] ? .sure : .yes
        },
        Recogniser(
            .sgUen, [("99999999A", 0.5), ("999999999A", 0.5), ("A99AA9999A", 0.9)], context: "uen acra"
        ) { isSingaporeCompany($0) },
        Recogniser(
            .krRrn, [("999999-9999999", 0.65), ("9999999999999", 0.28)], context: "rrn resident 주민등록번호",
            names: "rrn residentregistration 주민등록번호"
        ) { number in koreanPerson(number, 1...4, 11) },
        Recogniser(
            .krFrn, [("999999-9999999", 0.65), ("9999999999999", 0.28)], context: "frn foreigner 외국인등록번호"
        ) { number in koreanPerson(number, 5...8, 13) },
        Recogniser(
            .krBrn, [("999-99-99999", 0.65), ("9999999999", 0.5)], context: "brn business 사업자등록번호 사업자번호"
        ) { number in
            let last = number[8] * 5
            return (10 - (number.sum([1, 3, 7, 1, 3, 7, 1, 3]) + last / 10 + last) % 10) % 10 == number[9]
        },
        Recogniser(
            .krPassport, [("A999A9999", 0.1), ("A99999999", 0.05)], context: "passport 여권 여권번호"
        ) { $0.isAmong("MSROD", 0) ? .yes : .no },
        Recogniser(
            .krDriverLicense, [("99~99~999999~99", 0.05)], context: "driver license licence 운전면허 운전면허번호 면허번호"
        ) { (11...28).contains($0.number(0..<2)) && $0.number(0..<2) != 27 ? .yes : .no },
        Recogniser(
            .jpMyNumber, [("999999999999", 0.5), ("9999#9999#9999", 0.55)], context: "mynumber マイナンバー 個人番号"
        ) { number in
            // Ministry of Internal Affairs and Communications, ordinance 85 of 2014.
            let rest = number.sum([6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11
            return (rest <= 1 ? 0 : 11 - rest) == number[11]
        },
        Recogniser(
            .thTnin, [("9999999999999", 0.5), ("9-9999-99999-99-9", 0.9)], context: "thai tnin"
        ) { number in
            let rest = number.sum([13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11
            let province = number.number(1..<3)
            let isProvince =
                switch province / 10 {
                case 1, 3, 4: true
                case 2, 6, 7: province % 10 <= 7
                case 5: province % 10 <= 8
                case 8, 9: province % 10 <= 6
                default: false
                }
            return number[0] != 0 && isProvince && (11 - rest) % 10 == number[12]
        },
        Recogniser(
            .phTin, [("999-999-999", 0.5), ("999-999-999-999", 0.65), ("999999999", 0.3), ("999999999999", 0.3)],
            context: "tin bir taxpayer rdo"
        ) { $0.sum([9, 8, 7, 6, 5, 4, 3, 2]) % 11 == $0[8] },
    ]

    /// A Singapore company number (UEN): weights and letters depend on its length.
    private static func isSingaporeCompany(_ number: Symbols) -> Bool {
        if number.count == 9 || number[0] < 10 {
            let isShort = number.count == 9
            let weights = isShort ? [10, 4, 9, 3, 8, 2, 7, 1] : [10, 8, 6, 4, 9, 7, 5, 3, 1]
            let letters = Array((isShort ? "XMKECAWLJDB" : "ZKCMDNERGWH").utf8)
            return Int(letters[number.sum(weights) % 11]) - 55 == number[number.count - 1]
        }
        // The third form uses its own alphabet, without letters that look alike.
        let alphabet = Array("ABCDEFGHJKLMNPQRSTUVWX0123456789".utf8)
        let weights = [4, 3, 5, 3, 10, 2, 2, 5, 7]
        guard number.isAmong("TSR", 0) else { return false }
        var sum = 0
        for index in 0..<9 {
            let byte = UInt8(number[index] < 10 ? number[index] + 48 : number[index] + 55)
            guard let place = alphabet.firstIndex(of: byte) else { return false }
            sum += place * weights[index]
        }
        return Int(alphabet[((sum - 5) % 11 + 11) % 11]) - (number[9] < 10 ? 48 : 55) == number[9]
    }

    /// A Korean resident number by date of birth, kind, region and, for numbers assigned before October 2020, the check
    /// digit.
    private static func koreanPerson(_ number: Symbols, _ kinds: ClosedRange<Int>, _ base: Int) -> Plausibility {
        guard (1...12).contains(number.number(2..<4)), (1...31).contains(number.number(4..<6)),
            kinds.contains(number[6])
        else {
            return .no
        }
        let sum = number.sum([2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5])
        return number.number(7..<9) <= 95 && (base - sum % 11) % 10 == number[12] ? .sure : .yes
    }
}
