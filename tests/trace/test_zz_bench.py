import time
def test_bench(village, client, app):
    from flask import Flask
    from village.db import db
    from trace.scan import cache, services
    batch = village.batch(village.packs(40))
    path=f"/01/{batch.gtin}/10/{batch.lot}"
    bare=Flask("x")
    @bare.get("/")
    def hi(): return "hello"
    from werkzeug.test import EnvironBuilder
    def run(app, path, n=600):
        env=EnvironBuilder(path=path, headers={"Accept":"text/html","Accept-Encoding":"gzip"}).get_environ()
        def go():
            e=dict(env); list(app.wsgi_app(e, lambda *a:None))
        go(); go()
        best=1
        for _ in range(3):
            t=time.perf_counter()
            for _ in range(n//3): go()
            best=min(best,(time.perf_counter()-t)/(n//3))
        return best*1e6
    db.session.remove()
    client.get(path)
    print("bare us",run(bare,"/"),"scan us",run(app,path),"healthz us",run(app,"/healthz"))
    kept=next(iter(app.extensions["soi.scan.pages"]._pages.values()))
    def tm(f,n=500):
        best=1
        for _ in range(3):
            t=time.perf_counter()
            for _ in range(n//3): f()
            best=min(best,(time.perf_counter()-t)/(n//3))
        return best*1e6
    def v():
        with db.engine.connect() as c: cache.version(c,batch.gtin,batch.lot,kept.epcs)
    print("version us",tm(v))
    def nothing():
        with db.engine.connect() as c: pass
    print("connect us",tm(nothing))
    def b():
        with db.engine.connect() as c: c.exec_driver_sql("select 1").one()
    print("select1 driver us",tm(b))
    raw=db.engine.raw_connection()
    cur=raw.cursor()
    sql="SELECT own.hold,own.hold_reason,own.void,(SELECT number FROM village_revision WHERE id=1),(SELECT sum((SELECT max(l.seq) FROM ledger_link AS l WHERE l.batch=one.epc)) FROM batch one WHERE one.epc IN (%s)) FROM batch own WHERE own.gtin=? AND own.lot=?"%",".join("?"*len(kept.epcs))
    print("raw us",tm(lambda:cur.execute(sql,(*kept.epcs,batch.gtin,batch.lot)).fetchall()))
    print(cur.execute("explain query plan "+sql,(*kept.epcs,batch.gtin,batch.lot)).fetchall())
    import cProfile,pstats
    env=EnvironBuilder(path=path, headers={"Accept":"text/html","Accept-Encoding":"gzip"}).get_environ()
    def go():
        e=dict(env); list(app.wsgi_app(e, lambda *a:None))
    pr=cProfile.Profile(); pr.enable()
    for _ in range(500): go()
    pr.disable(); pstats.Stats(pr).sort_stats("cumtime").print_stats(60)
