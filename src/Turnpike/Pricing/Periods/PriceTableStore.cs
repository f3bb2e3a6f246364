using Turnpike.Catalog;
using Turnpike.Storage;

namespace Turnpike.Pricing.Periods;

/// <summary>The rates of every document that quoted them, by its version: a receipt is explained by those it was charged at.</summary>
internal sealed class PriceTableStore(Database database, TimeProvider time)
{
    private volatile ServiceCatalog? kept;

    /// <summary>Nobody waits: they are there with the next transaction, and before any call at these rates is charged.</summary>
    public void Keep(ServiceCatalog catalog)
    {
        if (ReferenceEquals(kept, catalog)) return;
        kept = catalog;
        var prices = catalog.Operations.Values.Select(o => (o.Name, Price: o.Settings.Get<PriceModel>() as PriceModel.Metered)).Where(o => o.Price is not null).ToList();
        _ = database.Writer.WriteLaterAsync(new StoreWrite<bool>(sql =>
        {
            var now = sql.Now(time);
            foreach (var (name, price) in prices)
                sql.Run("insert into price_tables (version, operation, price, since) values ($1, $2, $3, $4) on conflict (version, operation) do nothing", catalog.Version, name, price!.Written, now);
            return true;
        }), GroupCommit.Soon).AsTask().ContinueWith(static (t, store) => { if (t.IsFaulted) ((PriceTableStore)store!).kept = null; }, this, TaskScheduler.Default);
    }

    /// <summary>The price an operation had; null where no call was ever quoted at it.</summary>
    public async ValueTask<PriceModel.Metered?> FindAsync(string version, string operation, CancellationToken ct) =>
        await database.ReadAsync(sql => sql.First("select price from price_tables where version = $1 and operation = $2", row => row.Text(0), version, operation), ct) is { } text ? PriceSection.Read(text) as PriceModel.Metered : null;
}
