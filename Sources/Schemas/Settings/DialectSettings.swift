import Tabular

extension SettingGroup {
    /// `dialect:`, and a file of its own (Table Dialect v2, datapackage.org/standard/table-dialect).
    package static let dialect = SettingGroup([
        Setting("$schema", .ignored, "for other tools"),
        Setting("name", .ignored, "for other tools"),
        Setting("title", .ignored, "for people"),
        Setting("description", .ignored, "for people"),
        Setting("delimiter", .text("one ASCII character"), default: "`,`", "the mark between cells"),
        Setting(
            "lineTerminator", .text("one ASCII character, or CR LF"), default: "LF or CRLF",
            "the end of a row; LF and CRLF both mean either"),
        Setting("quoteChar", .text("one ASCII character, or empty"), default: "`\"`", "the mark around quoted cells"),
        Setting("doubleQuote", .flag, default: "true", "a doubled quote inside quotes stands for one"),
        Setting(
            "escapeChar", .text("one ASCII character, or empty"), default: "none", "the mark before a literal character"
        ),
        Setting("nullSequence", .text("any"), default: "none", "a text that means no value"),
        Setting("skipInitialSpace", .flag, default: "false", "spaces after a delimiter do not count"),
        Setting("header", .flag, default: "true", "whether there are rows of labels"),
        Setting("headerRows", .list("row numbers from 1 to 1000"), default: "`[1]`", "the rows of labels"),
        Setting("headerJoin", .text("any"), default: "a space", "the text between the parts of a label"),
        Setting(
            "commentRows", .list("row numbers from 1 to 1000"), default: "none",
            "rows before the data that are left out"),
        Setting(
            "commentChar", .text("one ASCII character, or empty"), default: "none", "the mark of rows that are left out"
        ),
        Setting("caseSensitiveHeader", .flag, default: "true", "whether case counts in labels"),
        Setting("csvddfVersion", .ignored, "for other tools"),
        Setting(
            "property", .text("a name, or up to 32 names with dots between them"), default: "none",
            "JSON: the member that holds the records"),
        Setting("itemType", .text("`object`, `array`"), default: "`object`", "JSON: what a record is"),
        Setting("itemKeys", .list("names"), default: "from the data", "JSON: the names of columns"),
    ])
}
