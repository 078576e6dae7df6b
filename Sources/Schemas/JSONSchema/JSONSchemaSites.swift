import Tabular

/// Typed access to the values of the documents being compiled.
extension JSONSchemaCompiler {
    func kind(_ site: Site) -> JSONTape.Kind { documents[site.document].values[site.at].kind }
    func isSchema(_ site: Site) -> Bool { kind(site) == .object || kind(site) == .boolean }

    func member(_ key: String, _ site: Site) -> Site? {
        documents[site.document].member(Array(key.utf8), of: site.at).map { Site(document: site.document, at: $0) }
    }

    func places(_ site: Site) -> [Site] {
        documents[site.document].places(in: site.at).map { Site(document: site.document, at: $0) }
    }

    func bytes(_ site: Site) -> [UInt8] {
        let tape = documents[site.document]
        return Array(tape.text[tape.values[site.at].range])
    }

    func text(_ site: Site) throws(JSONSchemaError) -> String {
        guard kind(site) == .string else { throw error(site, "must be a string") }
        return documents[site.document].string(site.at)
    }

    func items(_ site: Site) throws(JSONSchemaError) -> [Site] {
        guard kind(site) == .array else { throw error(site, "must be a list") }
        return places(site)
    }

    func names(_ site: Site) throws(JSONSchemaError) -> [[UInt8]] {
        var names: [[UInt8]] = []
        for item in try items(site) { names.append(Array(try text(item).utf8)) }
        return names
    }

    func members(_ site: Site) throws(JSONSchemaError) -> [(key: String, value: Site)] {
        guard kind(site) == .object else { throw error(site, "must be a mapping") }
        return places(site).map {
            (documents[$0.document].string($0.at), Site(document: $0.document, at: $0.at + 1))
        }
    }

    func number(_ site: Site) throws(JSONSchemaError) -> ExactNumber {
        guard kind(site) == .number else { throw error(site, "must be a number") }
        let tape = documents[site.document]
        return ExactNumber(tape.text.span, tape.values[site.at].range)
    }

    /// A count: a whole number of at least 0, such as `2` or `2.0`; larger ones are capped at 2^31 - 1.
    func count(_ site: Site) throws(JSONSchemaError) -> Int {
        let number = try number(site)
        guard number.isWhole, !(number < ExactNumber(0)) else {
            throw error(site, "must be a whole number, 0 or more")
        }
        let (low, high) = (0, Int(Int32.max))
        if number > ExactNumber(high) { return high }
        let text = String(decoding: bytes(site), as: UTF8.self)
        return Int(text) ?? Double(text).map { Int($0) } ?? low
    }

    func constant(_ site: Site) throws(JSONSchemaError) -> JSONSchema.Constant {
        do throws(JSONTape.Fault) { return try JSONSchema.Constant(source(site)) } catch {
            throw self.error(site, error.reason)
        }
    }

    /// The JSON text of a value.
    func source(_ site: Site) -> [UInt8] {
        guard kind(site) == .string else { return bytes(site) }
        return Array(JSONValue.string(documents[site.document].string(site.at)).text(pretty: false).utf8)
    }

    func error(_ site: Site, _ reason: String) -> JSONSchemaError {
        JSONSchemaError(reason: reason, pointer: site.document == 0 ? pointers[site] ?? pointer(site) : nil)
    }

    /// The JSON Pointer (RFC 6901) of a value in its document.
    func pointer(_ site: Site) -> String {
        let tape = documents[site.document]
        var path = ""
        var at = 0
        descent: while at < site.at {
            let isObject = tape.values[at].kind == .object
            for (index, place) in tape.places(in: at).enumerated() {
                let value = isObject ? place + 1 : place
                if site.at >= place, site.at < Int(tape.values[value].next) {
                    let token = isObject ? tape.string(place) : String(index)
                    path += "/" + token.replacing("~", with: "~0").replacing("/", with: "~1")
                    at = max(value, place)
                    if site.at <= at { break descent }
                    continue descent
                }
            }
            break
        }
        return path
    }
}
