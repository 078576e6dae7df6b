extension Recogniser {
    /// Africa and Australia.
    static let elsewhere: [Recogniser] = [
        Recogniser(.ngNin, [("99999999999", 0.5)], context: "nin nimc nigeria nigerian") { $0.passesVerhoeff(0..<11) },
        Recogniser(
            .ngVehicleRegistration, [("AAA~999AA", 0.35)], context: "vehicle plate plates registration"),
        Recogniser(.zaIdNumber, [("9999999999999", 1)], context: "id identity") { number in
            number.isShortDate(year: 0, month: 2, day: 4) && number[10] <= 2 && (8...9).contains(number[11])
                && number.passesLuhn(0..<13)
        },
        Recogniser(.auAbn, [("99 999 999 999", 0.85), ("99999999999", 0.55)], context: "abn business") { number in
            (number.sum([10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19]) - 10) % 89 == 0
        },
        Recogniser(.auAcn, [("999 999 999", 0.5), ("999999999", 0.5)], context: "acn company") { number in
            (10 - number.sum([8, 7, 6, 5, 4, 3, 2, 1]) % 10) % 10 == number[8]
        },
        Recogniser(.auTfn, [("999 999 999", 0.5), ("999999999", 0.5)], context: "tfn tax", names: "tfn taxfile") {
            number in
            number.sum([1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 == 0
        },
        Recogniser(.auMedicare, [("9999 99999 9", 0.65), ("9999999999", 0.5)], context: "medicare") { number in
            (2...6).contains(number[0]) && number.sum([1, 3, 7, 9, 1, 3, 7, 9]) % 10 == number[8]
        },
    ]
}
