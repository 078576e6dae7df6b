package import Tabular

extension Schema {
    /// The contract as a Data Package (datapackage.org, version 2.0) of one resource.
    ///
    /// - Parameters:
    ///   - document: the contract's own document.
    ///   - path: the path of the data, relative to the package.
    package func dataPackage(_ document: JSONValue, path: String) -> ConvertedSchema {
        var members = document.members ?? [:]
        var resource: [String: JSONValue] = [
            "name": jsonText(name.isEmpty ? "data" : resourceName(name)), "path": jsonText(path),
            "type": jsonText("table"),
        ]
        if var settings = members["sluice"]?.members {
            resource["dialect"] = settings.removeValue(forKey: "dialect")
            resource["encoding"] = settings.removeValue(forKey: "encoding")
            members["sluice"] = .object(settings)
        }
        resource["schema"] = .object(members)
        var resources = [JSONValue.object(resource)]
        // A file that a foreign key refers to becomes a resource too.
        for key in foreignKeys {
            guard case .file = key.source, let file = document["sluice"]?["references"]?[key.resource]?["file"] else {
                continue
            }
            let other: JSONValue = .object(["name": jsonText(key.resource), "path": file, "type": jsonText("table")])
            if !resources.contains(other) { resources.append(other) }
        }
        var package: [String: JSONValue] = [
            "$schema": jsonText("https://datapackage.org/profiles/2.0/datapackage.json"),
            "resources": .array(resources),
        ]
        if !name.isEmpty { package["name"] = jsonText(resourceName(name)) }
        if !version.isEmpty { package["version"] = jsonText(version) }
        return ConvertedSchema(document: .object(package))
    }

    /// A resource name as the standard allows it: lower-case letters, digits, `.`, `_` and `-`.
    private func resourceName(_ name: String) -> String {
        String(name.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) ? $0 : "-" })
    }
}

/// Extracts the contract of one resource of a Data Package: its schema, with dialect, encoding and references moved
/// under `sluice:`.
///
/// - Parameters:
///   - document: the package.
///   - wanted: the resource's name; nil if the package has only one.
/// - Throws: a located error when there is no such resource, or its schema is elsewhere.
package func tableSchema(
    ofPackage document: Document, resource wanted: String?
) throws(SchemaError) -> ConvertedSchema {
    let root = document.cursor
    guard let list = root["resources"] else { throw root.error(.missing, "a data package needs resources:") }
    let items = try list.items()
    var names: [String] = []
    for item in items { names.append(try item["name"]?.text() ?? "") }
    let index: Int
    if let wanted {
        guard let found = names.firstIndex(of: wanted) else {
            throw list.error(
                .unknownValue,
                "there is no resource \(quoted(wanted))\(didYouMean(wanted, among: names)); there are \(listed(names))")
        }
        index = found
    } else {
        guard items.count == 1 else {
            throw list.error(.missing, "the package has \(items.count) resources: give one of \(listed(names))")
        }
        index = 0
    }
    let resource = items[index]
    guard let schema = resource["schema"] else {
        throw resource.error(.missing, "the resource has no schema; make one: sluice schema infer")
    }
    guard var members = schema.value.members else {
        throw schema.error(.unsupported, "the schema is in a separate file; give that file")
    }
    var settings = members["sluice"]?.members ?? [:]
    if let dialect = resource["dialect"]?.value, dialect.members != nil { settings["dialect"] = dialect }
    if let encoding = resource["encoding"]?.value { settings["encoding"] = encoding }
    var places = settings["references"]?.members ?? [:]
    for key in members["foreignKeys"]?.items ?? [] {
        guard let name = key["reference"]?["resource"]?.text, places[name] == nil,
            let other = names.firstIndex(of: name), let path = items[other]["path"]?.value.text
        else { continue }
        places[name] = .object(["file": jsonText(path)])
    }
    if !places.isEmpty { settings["references"] = .object(places) }
    if !settings.isEmpty { members["sluice"] = .object(settings) }
    if members["name"] == nil, !names[index].isEmpty { members["name"] = jsonText(names[index]) }
    return ConvertedSchema(document: .object(members))
}
