import Tabular

extension SettingGroup {
    /// Statistics can be wrong and never reject.
    private static let actions = ["flag", "quarantine"]

    /// `isolationForest:`.
    static let isolationForest = SettingGroup([
        Setting(
            "fields", .list("names of numbers, booleans, and fields with enum or categories"),
            default: "all measures and declared categories", "the fields that are combined"),
        Setting("trees", .whole(1...1000), default: "\(ForestRule().trees)", "trees of the forest"),
        Setting("sampleSize", .whole(2...256), default: "\(ForestRule().sampleSize)", "rows sampled for each tree"),
        Setting("ndim", .whole(1...3), default: "\(ForestRule().dimensions)", "features combined in a split"),
        Setting("threshold", .mapping(.forestThreshold), "the quantiles of held-out scores that judge a row"),
        Setting("action", .words(actions), default: "`quarantine`", "the strictest outcome that the forest gives"),
        Setting("enabled", .flag, default: "true", "false ends the search"),
    ])

    /// `threshold:` of the forest.
    static let forestThreshold = SettingGroup([
        Setting(
            "flag", .number(0.5...0.99999), default: "\(ForestRule().flagQuantile)",
            "the quantile beyond which a row is flagged"),
        Setting(
            "quarantine", .number(0.5...0.99999), default: "\(ForestRule().quarantineQuantile)",
            "the quantile beyond which a row is quarantined"),
    ])

    /// `baseline:`.
    static let baseline = SettingGroup([
        Setting(
            "learning", .whole(1...400), default: "\(BaselineRules().learning)",
            "accepted batches after which a difference holds a batch"),
        Setting("history", .mapping(.history), "how much a batch is compared with; the larger of the two counts"),
        Setting(
            "season", .words(Season.allCases.map(\.rawValue)), default: "none",
            "batches are compared within one weekday or hour, by the field with `role: event-time`"),
        Setting(
            "anchor", .unenforced,
            "a batch is compared with the baseline that `sluice baseline approve` set for its dataset, else with the last accepted batches"
        ),
        Setting("rolling", .unenforced, "`history` sets how many accepted batches count"),
        Setting("update", .unenforced, "every accepted batch counts for the later ones"),
    ])

    /// `history:`.
    static let history = SettingGroup([
        Setting(
            "batches", .whole(1...200), default: "\(BaselineRules().batches); with a season 42 or 96",
            "accepted batches that are merged"),
        Setting("rows", .whole(1...1_000_000), default: "\(BaselineRules().rows)", "accepted rows that are merged"),
    ])

    /// `poisoning:`.
    static let poisoning = SettingGroup([
        Setting("duplicates", .mapping(.duplicates), "near-duplicate floods and rows of earlier batches"),
        Setting("labelFlip", .mapping(.labelFlip), "labels that contradict the row's other values"),
        Setting("triggers", .mapping(.triggers), "content that occurs with one label only"),
        Setting("crossVerify", .mapping(.crossVerify), default: "none", "what suppliers must agree on"),
    ])

    /// The keys that every kind of mark has.
    private static let mark = [
        Setting("enabled", .flag, default: "true", "false ends the search"),
        Setting("action", .words(actions), default: "`quarantine`", "what is done about a row with it"),
    ]

    /// `duplicates:`.
    static let duplicates = SettingGroup(
        mark + [
            Setting(
                "acrossBatches", .flag, default: "true",
                "whether rows of earlier batches count; false where every file is the whole table again"),
            Setting(
                "exact", .refused,
                "copies within a file are only counted; write `duplicateRows: flag` or `quarantine` under `batch`, and remove it"
            ),
            Setting("near", .unenforced, "rows with nearly the same text are searched for wherever duplicates are"),
        ])

    /// `labelFlip:`.
    static let labelFlip = SettingGroup(
        mark + [
            Setting("k", .unenforced, "10 neighbours of a row are compared"),
            Setting("agreement", .unenforced, "8 of 10 neighbours with another label flag a row, 9 hold it back"),
        ])

    /// `triggers:`.
    static let triggers = SettingGroup(
        mark + [
            Setting("fields", .unenforced, "every screened field is searched"),
            Setting("minSupport", .unenforced, "it follows from the budget of false alarms and the size of the batch"),
            Setting("minPurity", .unenforced, "it follows from the budget of false alarms and the size of the batch"),
            Setting("alpha", .unenforced, "it follows from the budget of false alarms and the size of the batch"),
        ])

    /// `crossVerify:`.
    static let crossVerify = SettingGroup([
        Setting("key", .list("field names"), default: "required", "the fields that say what a row is about"),
        Setting(
            "fields", .named("field", .compared), default: "required", "the 1 to 64 fields that suppliers must agree on"
        ),
        Setting("minSources", .whole(2...64), default: "2", "suppliers from which on a key is compared"),
        Setting(
            "action", .words(actions), default: "`quarantine`", "what is done about a row with an unconfirmed value"),
    ])

    /// A member of `fields:` under `crossVerify:`.
    static let compared = SettingGroup([
        Setting(
            "tolerance", .number(0...1), default: "0", "numbers: the allowed difference as a share of the larger one"),
        Setting("skew", .number(0...1e9), default: "0", "dates and times: the allowed difference in seconds"),
    ])
}
