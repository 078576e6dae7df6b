import ArgumentParser

@main
struct Sluice: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "sluice", abstract: "The gate for training data.")
}
