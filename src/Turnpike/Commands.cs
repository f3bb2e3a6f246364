using System.CommandLine;
using Turnpike.Catalog.Document;
using Turnpike.Catalog.Loading;
using Turnpike.Storage;

namespace Turnpike;

/// <summary>The command line: one verb a line. Exit codes: 0 done, 1 failed, 2 wrong input, 3 refused by the service.</summary>
internal static class Commands
{
    public static RootCommand Root() => new("Turnpike lets AI agents pay for HTTP APIs, by HTTP 402.")
    {
        Serve(),
        Check(),
        Schema(),
        Admin.Cli.CallersCommand.Create(),
        Admin.Cli.Accounts.OrganisationsCommand.Create(),
        Admin.Cli.TokensCommand.Create(),
        Admin.Cli.PlansCommand.Create(),
        Admin.Cli.LimitsCommand.Create(),
        Admin.Cli.GuardsCommands.Breakers(),
        Admin.Cli.GuardsCommands.Incidents(),
        Admin.Cli.GuardsCommands.Approvals(),
        Admin.Cli.PaymentsCommand.Create(),
        Admin.Cli.ReceiptsCommand.Create(),
        Admin.Cli.Use.PriceCommand.Create(),
        Admin.Cli.Use.PricesCommand.Create(),
        Admin.Cli.Use.UsageCommand.Create(),
        Admin.Cli.AuditCommand.Create(),
        Admin.Data.DataCommand.Create(),
        Admin.Cli.LedgerCommand.Create(),
        Admin.Cli.Accounts.InvoicesCommand.Create(),
        Admin.Cli.Accounts.TopUpsCommand.Create(),
        Admin.Cli.Accounts.DisputesCommand.Create(),
        Admin.Cli.Accounts.StatementsCommand.Create(),
        Admin.Cli.KeysCommand.Create(),
        Admin.Cli.StoreCommand.Create(),
        Demo.DemoCommand.Create(),
    };

    private static Option<string> Config() => new("--config", "-c") { Description = "The configuration file.", DefaultValueFactory = _ => "turnpike.yaml" };

    private static Command Serve()
    {
        var config = Config();
        var command = new Command("serve", "Start the gateway: callers on gateway.listen, operators on gateway.admin.") { config };
        command.SetAction((parsed, ct) => ServeAsync(parsed.GetValue(config)!, ct));
        return command;
    }

    private static Command Check()
    {
        var file = new Argument<string>("file") { Description = "The configuration to check.", DefaultValueFactory = _ => "turnpike.yaml" };
        var json = new Option<bool>("--json") { Description = "Write what was understood as JSON." };
        var command = new Command("check", "Read a configuration, tell every error with line and path, and what was understood.") { file, json };
        command.SetAction(parsed => CheckCommand.Run(Language.Loader, ConfigEnvironment.Process, parsed.GetValue(file)!, parsed.GetValue(json), Console.Out, Console.Error));
        return command;
    }

    private static Command Schema()
    {
        var markdown = new Option<bool>("--markdown") { Description = "Write docs/configure.md instead." };
        var command = new Command("schema", "Write the JSON Schema of turnpike.yaml, for editors.") { markdown };
        command.SetAction(parsed => SchemaCommand.Run(Language.Loader, parsed.GetValue(markdown), Console.Out));
        return command;
    }

    private static async Task<int> ServeAsync(string config, CancellationToken ct)
    {
        using var logging = LoggerFactory.Create(b => b.AddSimpleConsole(o => o.SingleLine = true));
        using var source = new CatalogSource(Language.Loader, ConfigEnvironment.Process, config, TimeProvider.System, logging.CreateLogger<CatalogSource>());
        var result = source.Open();
        foreach (var line in result.WarningLines) Console.Error.WriteLine(line);
        foreach (var line in result.ErrorLines) Console.Error.WriteLine(line);
        if (result.Catalog is null) return 2;
        try
        {
            await using var app = await Serving.StartAsync(source, ct);
            using var impatience = new Impatience();
            Console.Error.WriteLine($"turnpike: callers at {result.Catalog.Gateway.Listen}, operators at {result.Catalog.Gateway.Admin}");
            await app.WaitForShutdownAsync(ct);
            return 0;
        }
        catch (Exception e) when (e is StorageException or IOException)
        {
            Console.Error.WriteLine($"turnpike: {e.Message}");
            return 1;
        }
    }
}
