import Schemas
import Tabular

extension FieldCheck {
    /// Checks type and constraints of one present cell, apart from `pattern` and uniqueness.
    ///
    /// - Parameters:
    ///   - cell: the cell.
    ///   - bytes: the block's bytes.
    ///   - value: gets the number, where the field has numbers.
    /// - Returns: the finding; nil when the value passes.
    @inline(__always)
    func complaint(_ cell: Cell, _ bytes: Span<UInt8>, _ value: inout Double) -> FindingCode? {
        switch type {
        case .integer, .number:
            guard let number = number(cell, bytes) else { return .typeError }
            value = number
            return bounds(number, cell, bytes)
        case .string(let format):
            guard cell.isText else { return .typeError }
            switch format {
            case .default: break
            case .email: if !Formats.isEmail(bytes, cell.range) { return .typeError }
            case .uri: if !Formats.isURI(bytes, cell.range) { return .typeError }
            case .uuid: if !Formats.isUUID(bytes, cell.range) { return .typeError }
            case .binary: if !Formats.isBase64(bytes, cell.range) { return .typeError }
            case .wkt: if !Formats.isWKT(bytes, cell.range) { return .typeError }
            }
            if limitsLength, let code = lengths(Formats.scalars(bytes, cell.range)) { return code }
            return isAllowed(bytes, cell.range) ? nil : .enumError
        case .date, .time, .datetime, .year, .yearmonth, .duration:
            guard cell.isText || (cell.isNumber && type == .year), let moment = Dates.value(bytes, cell.range, type)
            else { return .typeError }
            return bounds(moment)
        case .boolean:
            // JSON true has four letters.
            if cell.isBoolean { return (cell.range.count == 4 ? allowsTrue : allowsFalse) ? nil : .enumError }
            guard cell.isText else { return .typeError }
            for word in trueWords where Self.equal(bytes, cell.range, word) { return allowsTrue ? nil : .enumError }
            for word in falseWords where Self.equal(bytes, cell.range, word) { return allowsFalse ? nil : .enumError }
            return .typeError
        case .any: return isAllowed(bytes, cell.range) ? nil : .enumError
        case .object, .array, .geojson, .geopoint(.array), .geopoint(.object): return nested(cell, bytes)
        case .geopoint(.default):
            guard cell.isText, Formats.isGeopoint(bytes, cell.range) else { return .typeError }
            return isAllowed(bytes, cell.range) ? nil : .enumError
        case .list(let form): return list(cell, bytes, form)
        }
    }

    /// Checks a list and the types of its items.
    private func list(_ cell: Cell, _ bytes: Span<UInt8>, _ form: ListForm) -> FindingCode? {
        guard cell.isText else { return .typeError }
        let mark = Array(form.delimiter.utf8)
        var (first, at, count) = (cell.range.lowerBound, cell.range.lowerBound, 0)
        let end = cell.range.upperBound
        while true {
            let isMark = at + mark.count <= end && Self.equal(bytes, at..<at + mark.count, mark)
            if at == end || isMark {
                guard isItem(bytes, first..<at, form.item) else { return .typeError }
                count += 1
                if at == end { break }
                at += mark.count
                first = at
            } else {
                at += 1
            }
        }
        return lengths(count) ?? (isAllowed(bytes, cell.range) ? nil : .enumError)
    }

    /// Whether an item of a list has the declared type, in its default format.
    private func isItem(_ bytes: Span<UInt8>, _ range: Range<Int>, _ item: ListForm.Item) -> Bool {
        switch item {
        case .string: true
        case .integer: Numbers.integer(bytes, range) != nil
        case .number: Numbers.decimal(bytes, range) != nil
        case .boolean: (trueWords + falseWords).contains { Self.equal(bytes, range, $0) }
        case .date: Dates.value(bytes, range, .date(.iso)) != nil
        case .time: Dates.value(bytes, range, .time(.iso)) != nil
        case .datetime: Dates.value(bytes, range, .datetime(.iso)) != nil
        }
    }

    /// Checks a JSON value, native or as CSV text.
    private func nested(_ cell: Cell, _ bytes: Span<UInt8>) -> FindingCode? {
        let isNative = cell.isNested
        // The reader has checked the grammar; a number beyond a double's range is valid JSON.
        if isNative, allowed.texts == nil {
            if type == .object {
                return cell.kind != .object
                    ? .typeError : limitsLength ? lengths(countOfMembers(bytes, cell.range)) : nil
            }
            if type == .array {
                return cell.kind != .array
                    ? .typeError : limitsLength ? lengths(countOfMembers(bytes, cell.range)) : nil
            }
        }
        guard isNative || cell.isText else { return .typeError }
        // As strict as the reader of JSON: numbers of any size, no duplicate keys, limited nesting.
        var tape = JSONTape()
        guard (try? tape.read(bytes, cell.range, maxDepth: maxDepth)) != nil, isNative || tape.hasUniqueKeys else {
            return .typeError
        }
        let fits: Bool
        switch type {
        case .object: fits = tape.values[0].kind == .object
        case .array: fits = tape.values[0].kind == .array
        case .geojson(let isTopology): fits = isTopology ? Formats.isTopoJSON(tape) : Formats.isGeoJSON(tape)
        case .geopoint(.array): fits = Formats.isGeopoint(array: tape)
        default: fits = Formats.isGeopoint(object: tape)
        }
        guard fits else { return .typeError }
        if allowed.texts != nil, !allowed.values.contains(where: { $0.equals(0, tape, 0) }) { return .enumError }
        return lengths(Int(tape.values[0].count))
    }
}

/// The number of members or items of a valid JSON object or array.
private func countOfMembers(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int {
    var (count, depth) = (0, 0)
    var (isInString, isEmpty) = (false, true)
    var at = range.lowerBound
    while at < range.upperBound {
        let byte = bytes[at]
        if isInString {
            if byte == 0x5C { at += 1 }
            isInString = byte != 0x22
        } else {
            switch byte {
            case 0x22: isInString = true
            case 0x5B, 0x7B: depth += 1
            case 0x5D, 0x7D: depth -= 1
            case 0x2C where depth == 1: count += 1
            default: break
            }
            let isOutermost = at == range.lowerBound || at == range.upperBound - 1
            if !isOutermost, byte > 0x20 { isEmpty = false }
        }
        at += 1
    }
    return isEmpty ? 0 : count + 1
}
