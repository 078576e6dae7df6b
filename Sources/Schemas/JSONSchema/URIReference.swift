/// Resolves references against a base URI (RFC 3986, section 5.2), as far as schema identifiers need it.
enum URIReference {
    /// The five components by the expression of RFC 3986, appendix B.
    private struct Parts {
        var scheme: Substring?
        var authority: Substring?
        var path: Substring
        var query: Substring?
        var fragment: Substring?

        init(_ text: String) {
            var rest = Substring(text)
            if let at = rest.firstIndex(of: "#") {
                fragment = rest[rest.index(after: at)...]
                rest = rest[..<at]
            }
            if let at = rest.firstIndex(of: "?") {
                query = rest[rest.index(after: at)...]
                rest = rest[..<at]
            }
            if let at = rest.firstIndex(where: { ":/?#".contains($0) }), rest[at] == ":", at > rest.startIndex {
                scheme = rest[..<at]
                rest = rest[rest.index(after: at)...]
            }
            if rest.hasPrefix("//") {
                rest = rest.dropFirst(2)
                let end = rest.firstIndex(of: "/") ?? rest.endIndex
                authority = rest[..<end]
                rest = rest[end...]
            }
            path = rest
        }

        var text: String {
            var text = ""
            if let scheme { text += scheme + ":" }
            if let authority { text += "//" + authority }
            text += path
            if let query { text += "?" + query }
            if let fragment { text += "#" + fragment }
            return text
        }
    }

    /// The target URI of a reference (RFC 3986, section 5.2.2).
    static func resolve(_ reference: String, against base: String) -> String {
        var found = Parts(reference)
        if found.scheme != nil { return normal(found) }
        let from = Parts(base)
        // A URN is not hierarchical: only its fragment can be referred to.
        if found.authority == nil {
            if found.path.isEmpty {
                found.path = from.path
                if found.query == nil { found.query = from.query }
            } else if !found.path.hasPrefix("/") {
                let folder = from.path.lastIndex(of: "/").map { from.path[...$0] } ?? (from.authority == nil ? "" : "/")
                found.path = folder + found.path
            }
            found.authority = from.authority
        }
        found.scheme = from.scheme
        return normal(found)
    }

    /// The URI with dot segments removed (RFC 3986, section 5.2.4).
    private static func normal(_ parts: Parts) -> String {
        var parts = parts
        guard parts.path.contains("./") || parts.path.hasSuffix(".") else { return parts.text }
        var segments: [Substring] = []
        let all = parts.path.split(separator: "/", omittingEmptySubsequences: false)
        for (index, segment) in all.enumerated() {
            let isLast = index == all.count - 1
            if segment == ".." {
                if segments.count > 1 { segments.removeLast() }
                if isLast { segments.append("") }
            } else if segment == "." {
                if isLast { segments.append("") }
            } else {
                segments.append(segment)
            }
        }
        parts.path = Substring(segments.joined(separator: "/"))
        return parts.text
    }

    /// Splits off the fragment and decodes its percent-encoding; nil for none.
    static func split(_ reference: String) -> (resource: String, fragment: String?) {
        guard let at = reference.firstIndex(of: "#") else { return (reference, nil) }
        return (String(reference[..<at]), unescaped(String(reference[reference.index(after: at)...])))
    }

    private static func unescaped(_ text: String) -> String {
        guard text.utf8.contains(0x25) else { return text }
        let bytes = Array(text.utf8)
        var out: [UInt8] = []
        var at = 0
        while at < bytes.count {
            if bytes[at] == 0x25, at + 2 < bytes.count,
                let byte = UInt8(String(decoding: bytes[at + 1...at + 2], as: UTF8.self), radix: 16)
            {
                out.append(byte)
                at += 3
            } else {
                out.append(bytes[at])
                at += 1
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
