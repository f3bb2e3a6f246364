using Turnpike.Admin.Callers;
using Turnpike.Catalog;
using Turnpike.Storage;

namespace Turnpike.Admin.Cli;

/// <summary>Writing by our own hand where no gateway runs, else by its Admin API.</summary>
internal static class BooksOrGateway
{
    public static async Task<T> WriteAsync<T>(ServiceCatalog catalog, Func<CommandBooks, ValueTask<(T? View, Denial? Denied)>> here, Func<AdminClient, Task<T>> there) where T : class
    {
        try
        {
            using var books = CommandBooks.Write(catalog);
            var (view, denied) = await here(books);
            return view ?? throw new AdminRefusal($"{denied!.Title}. {denied.Detail}", denied.Status == 400 ? CommandRun.WrongInput : CommandRun.Refused);
        }
        catch (StorageInUseException)
        {
            using var gateway = AdminClient.For(catalog.Gateway);
            return await there(gateway);
        }
    }
}
